"""What the agents of the sandbox org talk about.

Belongs here: topics with their utterances, answers and actions, as data. Does not: SQL, draws, and
anything about how often something happens (`..agents`, `..sessions`, `..turns`).
"""

from stdm_platform.sandbox.generator.bank.airline import AIRLINE_TOPICS, TRAVEL_TOPICS
from stdm_platform.sandbox.generator.bank.commerce import BILLING_TOPICS, RETAIL_TOPICS
from stdm_platform.sandbox.generator.bank.staff import IT_TOPICS, LOYALTY_TOPICS
from stdm_platform.sandbox.generator.bank.topic import Action, Topic

__all__ = [
    "AIRLINE_TOPICS",
    "BILLING_TOPICS",
    "IT_TOPICS",
    "LOYALTY_TOPICS",
    "RETAIL_TOPICS",
    "TRAVEL_TOPICS",
    "Action",
    "Topic",
]
