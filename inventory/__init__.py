"""The inventory: vaccine stock, its custody and its cold chain; knows no transport."""
