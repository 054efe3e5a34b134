"""Step texts: the payloads of section 5.11 in the encodings of section 4.6.

Belongs here: SQL expressions over the columns that `steps.py` joins. Does not: which steps there
are.
"""

from __future__ import annotations

from stdm_platform.sandbox.generator.draws import (
    bits,
    hexadecimal,
    html_escaped,
    json_text,
    member,
    python_text,
    share,
    uuid4,
)
from stdm_platform.sandbox.generator.wording import with_slots

CLASSIC_PROMPTS = (
    "kind IN ('topic prompt', 'initial prompt', 'validation', 'second validation', 'flash')"
)
NEWER_PROMPTS = "kind IN ('router', 'subagent', 'groundedness', 'second groundedness')"
PYTHON_SHARE, ESCAPED_SHARE = 0.05, 0.15
"""Shares of the classic planner's LLM steps that are Python text and HTML-escaped JSON."""
FILLER = "You are a careful assistant. Stay with the topic and use the tools. "


def inputs(text_bytes: int) -> str:
    """`InputValueText`, with LLM prompts of at least `text_bytes` bytes."""
    system = f"'{FILLER}'"
    if text_bytes > 0:
        system = f"repeat({system}, {-(-text_bytes // len(FILLER))})"
    messages = f"""concat('[{{"role":"system","content":"', {system}, '"}},{{"role":"user","content":', {json_text("utterance")}, '}}]')"""
    classic = f"""concat('{{"promptName":"', step_name, '","stepType":"LLM_STEP","intentLabel":"', topic,
        '","tools":["', array_to_string(action_names, '","'), '"],"toolConfig":{{"mode":"auto","parallel_calls":false}},"messages":',
        {messages}, ',"enableCitations":false,"enableOutputSafetyScoring":true}}')"""
    python = f"""concat('{{''promptName'': ''', step_name, ''', ''intentLabel'': None, ''tools'': [], ''enableCitations'': False, ''messages'': [{{''role'': ''system'', ''content'': ''', {system}, '''}}, {{''role'': ''user'', ''content'': ', {python_text("utterance")}, '}}]}}')"""
    newer = f"""concat('{{"af.request_id":"', {_uuid("af request")}, '","gen_ai.request.model":"llmgateway__GPT41","gen_ai.input.messages":',
        {json_text(messages)}, ',"gen_ai.request.id":"', {_uuid("gen_ai request")}, '","af.prompt_template_dev_name":"', step_name, '"}}')"""
    arguments = with_slots("argument_template")
    tool = f"""CASE WHEN planner = 'newer' AND {share("p", "keys only")} < 0.5
        THEN '{{"mgr.tool.argument_keys":"' || array_to_string(json_keys({arguments}), '|') || '"}}' ELSE {arguments} END"""
    return f"""CASE WHEN {CLASSIC_PROMPTS} THEN {_encoded(classic, python)}
        WHEN {NEWER_PROMPTS} THEN {newer}
        WHEN kind = 'action' THEN {tool}
        WHEN kind = 'classifier' THEN '{{"af.router_classifier.choices":"End_Session|Miscellaneous_Category|Prompt_Injection|Reverse_Engineering|Inappropriate_Content"}}'
        WHEN kind = 'guardrail' THEN concat('{{"response":', {json_text("answer")}, '}}')
        WHEN kind = 'related agent' THEN concat('{{"message":', {json_text("utterance")}, '}}')
        WHEN kind IN ('topic', 'variables') THEN '' ELSE 'NOT_SET' END"""


def outputs() -> str:
    """`OutputValueText`."""
    return f"""CASE WHEN {CLASSIC_PROMPTS} THEN {_classic_output()}
        WHEN {NEWER_PROMPTS} THEN {_newer_output()}
        WHEN kind = 'action' THEN {_action_output()}
        WHEN kind = 'classifier' THEN concat('{{"af.router_classifier.selected_target":"', CASE WHEN topic IN ('off_topic', 'Off_Topic')
            THEN {member("['Miscellaneous_Category', 'Prompt_Injection', 'Reverse_Engineering', 'Inappropriate_Content', 'End_Session']", "p", "target")} ELSE 'none' END, '"}}')
        WHEN kind = 'guardrail' THEN {_guardrail_output()}
        WHEN kind = 'related agent' THEN concat('{{"response":', {json_text("answer")}, '}}')
        WHEN kind IN ('topic', 'variables') THEN '' ELSE 'NOT_SET' END"""


def error() -> str:
    """`ErrorMessageText`: the action's error, else the sentinel of the agent or of the step."""
    message = with_slots(member("error_templates", "p", "error"))
    return f"""CASE WHEN failed THEN {message} WHEN kind = 'guardrail' THEN 'None'
        WHEN kind = 'variables' THEN '' ELSE no_error END"""


def attributes() -> str:
    """`AttributeText`: who was delegated to, else a sentinel."""
    return f"""CASE WHEN kind = 'related agent' THEN concat('{{"related_agent_name":"Billing Desk","related_agent_api_name":"Billing_Desk","related_agent_session_id":"',
        {_uuid("related session")}, '","related_agent_interaction_id":"', {_uuid("related interaction")}, '","delegation_type":"SUPERVISOR","routing_reasoning":',
        {json_text("concat('The user wants to ', gist, '.')")}, ',"sub_agent_execution_latency_ms":', step_ms, '}}')
        ELSE 'NOT_SET' END"""


def _uuid(purpose: str) -> str:
    return uuid4(bits("p", f"{purpose} high"), bits("p", f"{purpose} low"))


def _encoded(plain: str, python: str) -> str:
    """JSON, HTML-escaped JSON or Python text, by the step's draw."""
    drawn = share("p", "encoding")
    return f"""CASE WHEN {drawn} < {PYTHON_SHARE} THEN {python}
        WHEN {drawn} < {PYTHON_SHARE + ESCAPED_SHARE} THEN {html_escaped(plain)} ELSE {plain} END"""


def _verdict() -> str:
    return "CASE WHEN starts_with(kind, 'second') THEN second_verdict ELSE verdict END"


def _reason() -> str:
    return f"""CASE WHEN {_verdict()} IN ('NOT_GROUNDED', 'UNGROUNDED')
        THEN 'The answer states a figure that no tool result contains.'
        ELSE 'The answer follows from the tool results.' END"""


def _classic_output() -> str:
    validation = f"""concat('{{"sources":["', action_names[1], '"],"reason":"', {_reason()}, '","result":"', {_verdict()}, '"}}')"""
    plain = f"CASE WHEN kind = 'topic prompt' THEN concat('{{\"topic\":\"', topic, '\"}}') WHEN kind IN ('validation', 'second validation') THEN {validation} ELSE concat('{{\"response\":', {json_text('answer')}, '}}') END"
    built = f"""concat('{{"llmResponse":', {json_text(plain)}, ',"historyEntryType":"LLM_COMPLETION_RESPONSE","plannerMessageType":"LLM_COMPLETION_RESPONSE","toolInvocations":[]}}')"""
    python = f"""concat('{{''llmResponse'': ', {python_text(plain)}, ', ''historyEntryType'': ''LLM_COMPLETION_RESPONSE'', ''toolInvocations'': []}}')"""
    return _encoded(built, python)


def _newer_output() -> str:
    tools = """CASE WHEN kind = 'router' AND hands_over THEN 'escalate_to_human'
        WHEN kind = 'router' THEN 'go_to_' || topic WHEN action_names IS NOT NULL THEN array_to_string(action_names, '|') END"""
    verdict = f"""concat('{{"mgr.output.payload_type":"llm_event","gen_ai.response.id":"chatcmpl-', {hexadecimal("p", "response")},
        '","mgr.sensitive.step.result":"category=', {_verdict()}, ', reason=', {_reason()}, '"}}')"""
    event = f"""concat('{{"gen_ai.response.finish_reasons":"', CASE WHEN kind = 'router' THEN 'tool_calls' ELSE 'stop' END,
        '","gen_ai.output.tool_names":"', {tools}, '","gen_ai.response.id":"chatcmpl-', {hexadecimal("p", "response")},
        '","mgr.output.payload_type":"llm_event"', CASE WHEN kind = 'subagent' THEN ',"gen_ai.output.messages":' || {json_text("answer")} ELSE '' END, '}}')"""
    return (
        f"CASE WHEN kind IN ('groundedness', 'second groundedness') THEN {verdict} ELSE {event} END"
    )


def _action_output() -> str:
    answer = with_slots("answer_template")
    return f"""CASE WHEN failed AND planner = 'newer' THEN '{{"mgr.tool.status":"error"}}'
        WHEN failed THEN '{{"actionResponse":{{"__action_execution_status__":"FAILURE","errors":[{{"statusCode":"FLOW_EXCEPTION"}}]}}}}'
        WHEN {share("p", "not found")} < 0.02 THEN '{{"actionResponse":{{"__action_execution_status__":"SUCCESS","errors":[{{"message":"not found"}}]}}}}'
        WHEN planner = 'newer' AND {share("p", "status only")} < 0.4 THEN '{{"mgr.tool.status":"success"}}'
        ELSE {answer} END"""


def adherence(key: str) -> str:
    """How well an answer followed its instructions, by the draw of a guardrail step."""
    drawn = share(key, "adherence")
    return (
        f"CASE WHEN {drawn} < 0.06 THEN 'LOW' WHEN {drawn} < 0.1 THEN 'UNCERTAIN' ELSE 'HIGH' END"
    )


def _guardrail_output() -> str:
    drawn = share("p", "adherence")
    level = adherence("p")
    python = f"""concat('{{''name'': ''InstructionAdherence'', ''value'': ''', {level}, ''', ''explanation'': "The agent''s answer was compared with its instructions."}}')"""
    flags = f"""concat('{{"mgr.guardrail.passed":', CASE WHEN {drawn} < 0.06 THEN 'false' ELSE 'true' END, ',"mgr.guardrail.name":"InstructionAdherence"}}')"""
    result = f"""concat('{{"mgr.sensitive.step.result":"InstructionAdherence=', {level}, ', TaskResolution=', CASE WHEN {drawn} < 0.2 THEN 'UNRESOLVED' ELSE 'FULLY_RESOLVED' END, '"}}')"""
    return f"""CASE WHEN planner = 'classic' THEN {python} WHEN {share("p", "guardrail form")} < 0.5 THEN {flags} ELSE {result} END"""
