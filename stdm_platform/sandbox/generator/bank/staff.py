"""Topics of `IT_Helpdesk` (classic, for employees) and `Loyalty_Guide` (newer)."""

from __future__ import annotations

from stdm_platform.sandbox.generator.bank.topic import Action, Topic

RESET_PASSWORD = Action(
    "ResetPassword",
    '{"user":"{name}"}',
    '{"status":"SENT","channel":"sms"}',
    ("Error: user is locked",),
)
CREATE_TICKET = Action(
    "CreateTicket",
    '{"subject":"VPN","priority":"P3","site":"{city}"}',
    '{"ticket":"INC{ref}","status":"NEW","due":"{day}"}',
)
GET_BALANCE = Action(
    "get_points_balance",
    '{"member":"{ref}"}',
    '{"member":"{ref}","points":{amount},"tier":"Gold","expires":"{day}"}',
    ("Error: member {ref} not found",),
)
REDEEM = Action(
    "redeem_points",
    '{"member":"{ref}","points":{amount},"reward":"upgrade"}',
    '{"member":"{ref}","voucher":"V-{ref}"}',
)

IT_TOPICS = (
    Topic(
        "Access_And_Passwords",
        "get access",
        (
            "I'm locked out of my laptop.",
            "Need access to the {city} share drive",
            "the authenticator app is on my old phone…",
            "Reset my SAP password please, user {name}",
        ),
        (
            "I've sent a reset link to your phone, {name}.",
            "Access to the {city} share is requested; your manager has to approve it (INC{ref}).",
        ),
        (RESET_PASSWORD, CREATE_TICKET),
    ),
    Topic(
        "Devices",
        "fix a device",
        (
            "My screen flickers since {day}.",
            "the printer on floor 3 eats paper again",
            "Can I get a second monitor for {city}?",
            'Teams says "your microphone is muted by the system"',
        ),
        (
            "I've opened ticket INC{ref}; somebody will be with you on {day}.",
            "Please hold the power key for ten seconds and start again. Did that help?",
        ),
        (CREATE_TICKET,),
    ),
    Topic(
        "Network",
        "get connected",
        (
            "VPN drops every 10 minutes",
            "no wifi in room 4.12 in {city}",
            "Is there an outage right now?",
        ),
        (
            "There is a known fault in {city}; it should be mended by {day}.",
            "Please choose the gateway 'eu-2' and connect again.",
        ),
        (CREATE_TICKET,),
    ),
)

LOYALTY_TOPICS = (
    Topic(
        "points_balance",
        "know the points",
        (
            "How many points do I have? Member {ref}.",
            "my points from {city} are missing",
            "when do they expire?",
        ),
        (
            "You have {amount} points, {name}. They are valid until {day}.",
            "I've added the missing points of your trip to {city}.",
        ),
        (GET_BALANCE,),
    ),
    Topic(
        "rewards",
        "use the points",
        (
            "Can I use points for an upgrade on {day}?",
            "gift {amount} points to my wife",
            "What can I get for {amount} points?",
        ),
        (
            "Your upgrade voucher is V-{ref}.",
            "For {amount} points you can have an upgrade, a lounge pass or a €25 voucher.",
        ),
        (REDEEM, GET_BALANCE),
    ),
)
