"""Group disparity: are outcomes and errors spread alike over groups?"""

from evenhand.auditors.disparity.audit import Meaning, audit_group_disparity

__all__ = ["Meaning", "audit_group_disparity"]
