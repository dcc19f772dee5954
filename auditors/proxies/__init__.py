"""The proxy audit: which features stand in for an attribute, whether the model uses them, what it costs whom."""

from evenhand.auditors.proxies.audit import audit_proxies
from evenhand.auditors.proxies.data import ProxyData

__all__ = ["ProxyData", "audit_proxies"]
