"""TLS of the embedded cluster's own: whoever connects, and whoever is connected to, has the one key of this start.

Dask's protocol carries pickled functions, and its ports on loopback are open to every user of the machine.
"""

from datetime import UTC, datetime, timedelta
from ssl import TLSVersion

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from distributed.security import Security

LIFE = timedelta(days=36525)
"""Time for which the certificate is good, longer than any service runs: it is in memory alone."""
EARLIER = timedelta(days=1)
"""Time before now at which it begins to be good, for clocks that are set back."""
NAME = "descent-embedded"
ROLES = ("client", "scheduler", "worker")


def own_security() -> Security:
    """Return encryption under a new key, which is written to no file that stays; processes get it through pipes."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - EARLIER, now + LIFE)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
        .decode()
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    keys = {f"tls_{role}_key": secret for role in ROLES}
    certificates = {f"tls_{role}_cert": certificate for role in ROLES}
    return Security(
        require_encryption=True, tls_min_version=TLSVersion.TLSv1_3, tls_ca_file=certificate, **keys, **certificates
    )
