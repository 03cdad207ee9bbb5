"""The log's key: Ed25519, made here, kept in a file that only its owner may read."""

from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from inventory.domain.checkpoints import BadNote, Secret, VerifierKey, require_name


@dataclass(frozen=True)
class SigningKey:
    """A key that signs; `verifier` is what everybody may know of it."""

    verifier: VerifierKey
    private: Ed25519PrivateKey

    def sign(self, message: bytes) -> bytes:
        """The signature of a message."""
        return self.private.sign(message)

    def text(self) -> str:
        """The line to be kept in secret."""
        return Secret(self.verifier, self.private.private_bytes_raw()).text()


def generate(name: str) -> SigningKey:
    """A new key for the log of a name.

    Raises:
        BadNote: no log can be named so.
    """
    return _with(require_name(name), Ed25519PrivateKey.generate())


def read(text: str) -> SigningKey:
    """The key in a line that `SigningKey.text` gave.

    Raises:
        BadNote: there is none, or its name, id and key do not belong together.
    """
    name, key_id, seed = Secret.parts(text)
    key = _with(name, Ed25519PrivateKey.from_private_bytes(seed))
    if key.verifier.id.hex() != key_id:
        raise BadNote("the key file's id is not that of its name and key")
    return key


def verify(key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether a public key has made a signature."""
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _with(name: str, private: Ed25519PrivateKey) -> SigningKey:
    return SigningKey(VerifierKey(name, private.public_key().public_bytes_raw()), private)
