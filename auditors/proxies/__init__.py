"""The proxy audit: which features stand in for an attribute, whether the model uses them, what it costs whom."""

from evenhand.auditors.proxies.alternatives import with_what_ifs
from evenhand.auditors.proxies.audit import audit_proxies
from evenhand.auditors.proxies.data import ProxyData
from evenhand.auditors.proxies.groups import with_intersections
from evenhand.auditors.proxies.retraining import Retraining
from evenhand.auditors.proxies.what_if import Case

__all__ = ["Case", "ProxyData", "Retraining", "audit_proxies", "with_intersections", "with_what_ifs"]
