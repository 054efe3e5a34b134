"""The catalog's entries, parents before children."""

from stdm_platform.catalog.entries.content_quality import CONTENT_CATEGORIES, CONTENT_QUALITY
from stdm_platform.catalog.entries.feedback import FEEDBACK, FEEDBACK_DETAILS
from stdm_platform.catalog.entries.gateway_answers import (
    GATEWAY_LLMS,
    GATEWAY_REQUEST_METADATA,
    GATEWAY_REQUEST_TAGS,
    GATEWAY_RESPONSES,
)
from stdm_platform.catalog.entries.gateway_records import CITATIONS, GATEWAY_RECORDS
from stdm_platform.catalog.entries.gateway_requests import GATEWAY_REQUESTS
from stdm_platform.catalog.entries.genai_usage import GENAI_USAGE
from stdm_platform.catalog.entries.generations import APP_GENERATIONS, GENERATIONS
from stdm_platform.catalog.entries.interactions import INTERACTIONS
from stdm_platform.catalog.entries.messages import MESSAGES
from stdm_platform.catalog.entries.moment_interactions import MOMENT_INTERACTIONS
from stdm_platform.catalog.entries.moments import MOMENTS
from stdm_platform.catalog.entries.participants import PARTICIPANTS
from stdm_platform.catalog.entries.retriever_quality_metrics import RETRIEVER_QUALITY_METRICS
from stdm_platform.catalog.entries.sessions import SESSIONS
from stdm_platform.catalog.entries.steps import STEPS
from stdm_platform.catalog.entries.tag_associations import TAG_ASSOCIATIONS
from stdm_platform.catalog.entries.tags import TAG_DEFINITION_ASSOCIATIONS, TAG_DEFINITIONS, TAGS
from stdm_platform.catalog.entries.telemetry_spans import TELEMETRY_SPANS

DMOS = (
    SESSIONS,
    PARTICIPANTS,
    INTERACTIONS,
    STEPS,
    MESSAGES,
    MOMENTS,
    MOMENT_INTERACTIONS,
    TAG_DEFINITIONS,
    TAGS,
    TAG_DEFINITION_ASSOCIATIONS,
    TAG_ASSOCIATIONS,
    GATEWAY_REQUESTS,
    GATEWAY_RESPONSES,
    GATEWAY_REQUEST_TAGS,
    GATEWAY_REQUEST_METADATA,
    GATEWAY_LLMS,
    GENERATIONS,
    APP_GENERATIONS,
    CONTENT_QUALITY,
    CONTENT_CATEGORIES,
    FEEDBACK,
    FEEDBACK_DETAILS,
    GATEWAY_RECORDS,
    CITATIONS,
    RETRIEVER_QUALITY_METRICS,
    TELEMETRY_SPANS,
    GENAI_USAGE,
)

__all__ = ["DMOS"]
