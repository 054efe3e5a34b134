"""Topics of the two travel agents: `Airline_Concierge` (classic) and `Travel_Care` (newer)."""

from __future__ import annotations

from stdm_platform.sandbox.generator.bank.topic import Action, Topic

GET_RESERVATION = Action(
    "GetReservation",
    '{"reservationId":"{ref}"}',
    '{"reservationId":"{ref}","passenger":"{name}","origin":"JFK","destination":"{city}",'
    '"departure":"{day}","cabin":"economy","status":"CONFIRMED"}',
    (
        "Error: reservation {ref} not found",
        "System.QueryException: List has no rows for assignment to SObject",
    ),
)
SEARCH_FLIGHTS = Action(
    "SearchFlights",
    '{"origin":"JFK","destination":"{city}","date":"{day}","maxStops":1}',
    '[{"flight":"HA139","departs":"{day}T07:15","price":{amount},"seats":4},'
    '{"flight":"HA271","departs":"{day}T13:40","price":{amount},"seats":11}]',
    (
        "System.CalloutException: Read timed out",
        "FLOW_ELEMENT_ERROR: availability service answered 503\nretry later",
    ),
)
CHANGE_FLIGHT = Action(
    "ChangeFlight",
    '{"reservationId":"{ref}","newDate":"{day}","payment":"card_on_file"}',
    '{"reservationId":"{ref}","status":"REBOOKED","fareDifference":{amount}}',
    ("Error: basic economy fares cannot be changed", "UNABLE_TO_LOCK_ROW: unable to obtain access"),
)
CANCEL = Action(
    "CancelReservation",
    '{"reservationId":"{ref}","reason":"customer request"}',
    '{"reservationId":"{ref}","status":"CANCELLED","refund":{amount}}',
    ("Error: reservation {ref} was flown already", "System.LimitException: Apex CPU time exceeded"),
)
TRACE_BAG = Action(
    "TraceBaggage",
    '{"tag":"{ref}"}',
    '{"tag":"{ref}","lastSeen":"{city}","status":"IN_TRANSIT","eta":"{day}"}',
)

_BOOKING = (
    "I need a flight to {city} on {day}, the cheapest one you have.",
    "can you book two seats to {city}, {day}, window and aisle?",
    "Is there anything nonstop to {city} on {day}?",
    'My sister said you have a "flex" fare to {city}. What is it?',
    "Quiero reservar un vuelo a {city} para el {day}.",
    "What does business cost to {city} around {day}?\nI have three bags.",
    "book the earliest one please, card ending 7447",
    "Do the prices include a carry-on?",
)
_BOOKING_ANSWERS = (
    "I found two flights to {city} on {day}:\n\n1. HA139, 07:15, ${amount}\n2. HA271, 13:40, ${amount}\n\n"
    "Which one would you like?",
    "Done, {name}. Your reservation {ref} to {city} is confirmed for {day}. The total was ${amount}.",
    'The "flex" fare costs ${amount} more and can be changed until departure.',
    "¡Claro! Tengo un vuelo a {city} el {day} por ${amount}. ¿Lo reservo?",
    "Yes, one carry-on and one personal item are included in every fare but basic economy.",
)
_CHANGES = (
    "I need to move my flight {ref} to {day}.",
    "Can I change the passenger name on {ref}? I'm {name} now.",
    "my connection in {city} is too short, put me on a later one",
    "What would it cost to switch {ref} to business?",
    "I missed my flight this morning 😞 can you rebook me?",
    "Change it to {day} — but only if the fee is under ${amount}.",
    "Please add a checked bag to {ref}.",
)
_CHANGES_ANSWERS = (
    "Your reservation {ref} now leaves on {day}. The fare difference of ${amount} went to your card on file.",
    "I'm sorry, {name}: basic economy fares can't be changed. I can cancel {ref} or add a bag.",
    "There is a later connection in {city} with 95 minutes. Shall I move you there?",
    "An upgrade of {ref} to business costs ${amount}. May I go ahead (yes/no)?",
    "I added one checked bag to {ref}.",
)
_CANCELLATION = (
    "Cancel {ref} please and refund my card.",
    "How much do I get back if I cancel {ref}?",
    "the flight to {city} was delayed 6 hours, I want compensation!!",
    "I booked the wrong day yesterday. Can I still cancel?",
    'Where is my refund of ${amount}? It says "pending" since {day}.',
    "I have travel insurance & a doctor's note, does that help?",
)
_CANCELLATION_ANSWERS = (
    "Reservation {ref} is cancelled. ${amount} will be back on your card within 7 business days.",
    "You would get ${amount} back for {ref}. Would you like me to cancel it?",
    "I'm sorry for the delay, {name}. I've issued a certificate of ${amount}.",
    "Bookings can be cancelled free of charge within 24 hours, so yes.",
    "Your refund was sent to the bank on {day}; banks take 3 to 5 days to show it.",
)
_BAGGAGE = (
    "My bag never arrived in {city}. Tag {ref}.",
    "how many bags can a Gold member take?",
    "The suitcase came broken, who pays for that?",
    "Can I bring a 55x40x23 cm case on board?",
    "Any news on tag {ref}?",
    "I left my laptop on board in seat 14C, flight from {city}",
)
_BAGGAGE_ANSWERS = (
    "Your bag {ref} was last seen in {city} and should reach you on {day}.",
    "Gold members may check three bags of 23 kg each.",
    "Please send us photos of the damage within seven days; I've opened claim {ref}.",
    "Yes, 55x40x23 cm fits.",
    "I have passed your report to lost property in {city}, reference {ref}.",
)

AIRLINE_TOPICS = (
    Topic(
        "Flight_Booking",
        "book a flight",
        _BOOKING,
        _BOOKING_ANSWERS,
        (SEARCH_FLIGHTS, GET_RESERVATION),
    ),
    Topic(
        "Flight_Changes",
        "change a flight",
        _CHANGES,
        _CHANGES_ANSWERS,
        (GET_RESERVATION, CHANGE_FLIGHT, SEARCH_FLIGHTS),
    ),
    Topic(
        "Cancellation_And_Refund",
        "cancel and be refunded",
        _CANCELLATION,
        _CANCELLATION_ANSWERS,
        (GET_RESERVATION, CANCEL),
    ),
    Topic("Baggage", "find or add baggage", _BAGGAGE, _BAGGAGE_ANSWERS, (TRACE_BAG,)),
)

HOTEL = Action(
    "find_hotel",
    '{"city":"{city}","check_in":"{day}","guests":2}',
    '{"hotels":[{"name":"Harbour Inn","rate":{amount}},{"name":"Café Central","rate":{amount}}]}',
)
POLICY = Action(
    "search_travel_policy",
    '{"query":"allowance {city}"}',
    '{"chunks":[{"id":"ka0{ref}","text":"Meals are covered up to ${amount} a day."}]}',
)

TRAVEL_TOPICS = (
    Topic(
        "trip_planning",
        "plan a trip",
        (
            "Plan me three days in {city} from {day}, under ${amount}.",
            "what's the weather like in {city} on {day}?",
            "Find a hotel near the station in {city} with a gym",
            "We're two adults, a child and a dog 🐶. Where should we stay in {city}?",
            'Is "Café Central" in {city} still open?',
            "Trains instead of planes, s'il vous plaît.",
        ),
        (
            "Here is a plan for {city}:\n\n- {day}: old town on foot\n- next day: museums\n- then: the coast\n\nAbout ${amount} in all.",
            "Harbour Inn in {city} has rooms from ${amount} on {day}.",
            "Expect mild weather in {city}, with some rain in the evening.",
            "There are trains every two hours; the 08:04 takes 3 h 20.",
        ),
        (HOTEL, SEARCH_FLIGHTS),
    ),
    Topic(
        "disruption_care",
        "get help in a disruption",
        (
            "My flight to {city} was cancelled, what now?",
            "I'm stuck in {city} overnight. Who pays the hotel?",
            "reservation {ref}: I need the next flight out, any airline",
            "The app says delayed, the board says on time. Which is it?",
            "This is the third time this month!! I want to talk to somebody",
        ),
        (
            "I'm sorry, {name}. You're rebooked on HA271 on {day}; your hotel in {city} is covered.",
            "Flight {ref} is delayed by 50 minutes. I'll message you if that changes.",
            "You can claim up to ${amount} for meals. I've sent the form to your e-mail.",
        ),
        (GET_RESERVATION, CHANGE_FLIGHT, HOTEL),
    ),
    Topic(
        "travel_policy",
        "understand the rules",
        (
            "What's the meal allowance in {city}?",
            "do I need a visa for {city}? passport is from Brazil",
            "Can I fly business if it's longer than 6 hours?",
            "How do I expense ${amount} without a receipt?",
        ),
        (
            "In {city} meals are covered up to ${amount} a day.",
            "Business is allowed from six hours of flight time, with your manager's approval.",
            "Without a receipt you can claim up to $75; please attach a short statement.",
        ),
        (POLICY,),
    ),
)
