"""Bytes in from gateways over MQTT, `inventory.services.monitoring` out, receipts back."""
