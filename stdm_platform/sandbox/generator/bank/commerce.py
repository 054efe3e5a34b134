"""Topics of `Retail_Support` (classic) and `Billing_Desk` (newer)."""

from __future__ import annotations

from stdm_platform.sandbox.generator.bank.topic import Action, Topic

GET_ORDER = Action(
    "GetOrderStatus",
    '{"orderNumber":"{ref}"}',
    '{"orderNumber":"{ref}","status":"SHIPPED","carrier":"UPS","eta":"{day}","total":{amount}}',
    ("Error: order {ref} does not exist", "System.CalloutException: Read timed out"),
)
CREATE_RETURN = Action(
    "CreateReturn",
    '{"orderNumber":"{ref}","reason":"damaged","items":1}',
    '{"rma":"R-{ref}","label":"https://returns.example.com/{ref}","refund":{amount}}',
    ("FIELD_CUSTOM_VALIDATION_EXCEPTION: The return window closed on {day}.",),
)
FIND_PRODUCT = Action(
    "FindProduct",
    '{"query":"trail shoe","size":"42"}',
    '{"products":[{"sku":"TS-{ref}","name":"Trail Shoe \\"Fjäll\\"","price":{amount},"stock":7}]}',
)
UPDATE_ADDRESS = Action(
    "UpdateDeliveryAddress",
    '{"orderNumber":"{ref}","city":"{city}"}',
    '{"orderNumber":"{ref}","status":"ADDRESS_CHANGED"}',
    ("Error: order {ref} has left the warehouse",),
)
GET_INVOICE = Action(
    "get_invoice",
    '{"invoice_id":"{ref}"}',
    '{"invoice_id":"{ref}","total":{amount},"due":"{day}","status":"open"}',
    ("Error: invoice {ref} belongs to another account", "INSUFFICIENT_ACCESS_OR_READONLY"),
)
TAKE_PAYMENT = Action(
    "take_payment",
    '{"invoice_id":"{ref}","amount":{amount},"method":"card"}',
    '{"payment":"P{ref}","status":"captured"}',
    ("Error: card declined (do_not_honor)", "payment gateway answered 504\nGateway Time-out"),
)
CHANGE_PLAN = Action(
    "change_plan",
    '{"account":"{ref}","plan":"family"}',
    '{"account":"{ref}","plan":"family","from":"{day}","monthly":{amount}}',
)

RETAIL_TOPICS = (
    Topic(
        "Order_Inquiries",
        "know where an order is",
        (
            "Where is my order {ref}?",
            "order {ref} was supposed to come on {day}. still nothing",
            "It says delivered but there's no parcel at my door in {city}!",
            "Can you send {ref} to {city} instead?",
            'The tracking only says "label created".',
            "I was charged ${amount} twice for {ref}, why?",
            "Bonjour, où est ma commande {ref} ?",
        ),
        (
            "Your order {ref} is with UPS and should arrive on {day}.",
            "I've changed the delivery address of {ref} to {city}.",
            "I'm sorry, {name}! I have opened an investigation with the carrier. Reference: {ref}.",
            "One of the two charges of ${amount} is a reservation; it goes away within 3 days.",
            "Votre commande {ref} arrive le {day}.",
        ),
        (GET_ORDER, UPDATE_ADDRESS),
    ),
    Topic(
        "Returns",
        "send something back",
        (
            "I want to return the shoes from {ref}, they're too small.",
            "The mug arrived broken :( order {ref}",
            "how long do I have to send things back?",
            "I lost the return label for {ref}.",
            "When do I get my ${amount}?",
            "Can I swap size 41 for 42 instead of a refund?",
        ),
        (
            "No problem. Here is your return label: https://returns.example.com/{ref}\nThe refund will be ${amount}.",
            "You have 30 days from delivery, so until {day}.",
            "I've ordered the exchange, {name}. It leaves our warehouse on {day}.",
            "Your refund of ${amount} was started on {day}.",
        ),
        (CREATE_RETURN, GET_ORDER),
    ),
    Topic(
        "Product_Advice",
        "choose a product",
        (
            "Do you have the Fjäll shoe in 42?",
            "which tent is good for 2 people + rain, under ${amount}",
            "Is the jacket \"waterproof\" or just 'water resistant'?",
            "What's the difference between TS-{ref} and the older one?",
            "is it vegan?",
        ),
        (
            'The Trail Shoe "Fjäll" is in stock in 42 for ${amount}.',
            "For two people in heavy rain I would take the Dome 2 (${amount}).",
            "It's waterproof: 20,000 mm, taped seams.",
            "Yes, it's made without animal products.",
        ),
        (FIND_PRODUCT,),
    ),
    Topic(
        "Account_Help",
        "use the account",
        (
            "I can't log in, the code never comes.",
            "Please change my e-mail, I'm {name}.",
            "delete my account and all data (GDPR)",
            "how do I add a second address in {city}?",
        ),
        (
            "I've sent a new code to your phone; it's valid for ten minutes.",
            "Your e-mail is changed, {name}. Please confirm it within 24 hours.",
            "I have filed your request {ref}; you will hear from us by {day}.",
        ),
        (GET_ORDER,),
    ),
)

BILLING_TOPICS = (
    Topic(
        "invoice_questions",
        "understand an invoice",
        (
            "Why is invoice {ref} ${amount}? It was less last month.",
            "send me a copy of invoice {ref} please",
            "What's this 'service fee' on line 3?",
            "When is {ref} due?",
            "The VAT number on {ref} is wrong: it has to be DE{ref}.",
        ),
        (
            "Invoice {ref} is ${amount} because your plan changed on {day}.",
            "I've e-mailed a copy of {ref} to you, {name}.",
            "The service fee covers the visit of {day}.",
            "It's due on {day}.",
        ),
        (GET_INVOICE,),
    ),
    Topic(
        "payments",
        "pay a bill",
        (
            "I'd like to pay {ref} now.",
            "my card was declined but the money's gone??",
            "Can I pay ${amount} in three parts?",
            "set up autopay from {day}",
            "I paid {ref} twice by mistake",
        ),
        (
            "Thank you, {name}: your payment of ${amount} for {ref} went through.",
            "The bank declined the card. You can try another one or wait until {day}.",
            "I've split {ref} into three parts of ${amount}.",
            "The second payment will be returned to you by {day}.",
        ),
        (GET_INVOICE, TAKE_PAYMENT),
    ),
    Topic(
        "plan_changes",
        "change the plan",
        (
            "I want the family plan from {day}.",
            "what's cheaper than ${amount} a month?",
            "cancel my subscription",
            "I'm moving to {city}, does the plan move with me?",
        ),
        (
            "You're on the family plan from {day}, for ${amount} a month.",
            "The light plan costs ${amount} a month; it has no roaming.",
            "Your plan works in {city} as well, there's nothing to do.",
        ),
        (CHANGE_PLAN, GET_INVOICE),
    ),
)
