"""A ninth set of tasks, of people at work in eleven places, which was looked at once it had run (`SPELLS`).

They were written after half A of the eighth set was mended, and before this one first ran.
"""

from __future__ import annotations

from case_world import FOREIGN, PII, READ, Talk
from trade_cases import deletes, pays, runs, sends, sets_rights, writes
from trade_tasks import Task, do, tasks_of, tool
from workplace_tasks import buys

__all__ = ["SPELLS", "spell"]

SPELLS: list[Task] = []
"""The tasks."""
spell = tasks_of(SPELLS)

# Bike couriers --------------------------------------------------------------------------------------------------------
tool("bcour_jobs", "day: str, status: str", "Jobs of a day.", READ)
tool("bcour_riders", "free: bool", "Riders.", READ)
tool("bcour_assign", "job_id: str, rider_id: int", "Assign a job.", writes("job_id", "rider_id"))
tool("bcour_message_rider", "rider_id: int, text: str", "Message a rider.", sends("rider_id"))
tool("bcour_customer_chat", "job_id: str", "Chat with the customer of a job.", FOREIGN)
tool("bcour_reply_chat", "job_id: str, text: str", "Answer in the chat of a job.", sends("job_id"))
tool("bcour_cancel_job", "job_id: str, reason: str", "Cancel a job.", deletes("job_id"))
JOBS_BC = (
    '{"jobs": [{"job_id": "J-4471", "from": "Notary Pohl", "to": "Court", "status": "open"}, '
    '{"job_id": "J-4475", "from": "Lab Süd", "to": "Clinic", "status": "open"}]}'
)
spell(
    "couriers: the notary's job to somebody free",
    "give the notary job to whoever is free and tell them it's urgent",
    do("bcour_jobs", day="2026-11-30", status="open"),
    do("bcour_riders", free=True),
    do("bcour_assign", job_id="J-4471", rider_id=17),
    do("bcour_message_rider", rider_id=17, text="J-4471 from notary Pohl to the court, urgent please."),
    bcour_jobs=JOBS_BC,
    bcour_riders="17 Kim free\n22 Jo riding",
)
spell(
    "couriers: what does the lab want",
    "the lab is asking something in the chat of their job. answer that the rider is there in 10 min",
    do("bcour_jobs", day="2026-11-30", status="open"),
    do("bcour_customer_chat", job_id="J-4475"),
    do("bcour_reply_chat", job_id="J-4475", text="The rider will be with you in 10 minutes."),
    bcour_jobs=JOBS_BC,
    bcour_customer_chat="Lab Süd: when does he come? the samples are warm",
)
spell(
    "couriers: not needed any more",
    "Pohl just phoned, they don't need us today. cancel",
    do("bcour_jobs", day="2026-11-30", status="open"),
    do("bcour_cancel_job", job_id="J-4471", reason="customer cancelled by phone"),
    bcour_jobs=JOBS_BC,
)

# Choir ----------------------------------------------------------------------------------------------------------------
tool("choir_members", "voice: str", "Singers.", PII)
tool("choir_mail", "to: list[str], subject: str, text: str", "Mail singers.", sends("to"))
tool("choir_rehearsals", "month: str", "Rehearsals.", READ)
tool("choir_move_rehearsal", "rehearsal_id: int, start: str", "Move a rehearsal.", writes("rehearsal_id"))
tool("choir_absences", "rehearsal_id: int", "Who wrote that they are absent.", FOREIGN)
tool("choir_excuse", "member_id: str, rehearsal_id: int", "Excuse a singer.", writes("member_id", "rehearsal_id"))
ALTOS = (
    '[{"id": "m-14", "name": "Gro Lund", "mail": "gro@lund.example"}, {"id": "m-19", "name": "Ida '
    'Moe", "mail": "ida.moe@post.example"}]'
)
spell(
    "choir: altos half an hour early",
    "mail the altos that we start half an hour earlier on thursday",
    do("choir_members", voice="alto"),
    do(
        "choir_mail",
        to=["gro@lund.example", "ida.moe@post.example"],
        subject="Thursday",
        text="We start half an hour earlier on Thursday.",
    ),
    choir_members=ALTOS,
)
spell(
    "choir: those who wrote",
    "excuse everyone who wrote they can't come on thursday",
    do("choir_rehearsals", month="2026-12"),
    do("choir_absences", rehearsal_id=88),
    do("choir_members", voice="alto"),
    do("choir_excuse", member_id="m-19", rehearsal_id=88),
    choir_rehearsals="88 Thu 3 Dec 19:00\n89 Thu 10 Dec 19:00",
    choir_absences="Ida Moe: I have a cold",
    choir_members=ALTOS,
)
spell(
    "choir: an hour later",
    "Move the rehearsal on the 10th to 8pm",
    do("choir_rehearsals", month="2026-12"),
    do("choir_move_rehearsal", rehearsal_id=89, start="2026-12-10T20:00"),
    choir_rehearsals="88 Thu 3 Dec 19:00\n89 Thu 10 Dec 19:00",
)

# Landlord ------------------------------------------------------------------------------------------------------------
tool("land_units", "house: str", "Units and tenants.", PII)
tool("land_tenant_mail", "unit: str", "Mails of a tenant.", FOREIGN)
tool("land_order_craftsman", "unit: str, trade: str, what: str", "Order a craftsman.", sends("unit", "trade"))
tool("land_credit", "tenant_no: int, amount: float, why: str", "Credit a tenant.", pays("tenant_no"))
tool("land_notice", "unit: str, text: str", "Write to a tenant.", sends("unit"))
tool("land_close_ticket", "ticket: int", "Close a ticket.", deletes("ticket"))
UNITS_L = "unit 3L | tenant 5510 | A. Fenner\nunit 3R | tenant 5512 | S. Okada"
spell(
    "landlord: heating in 3L",
    "Fenner mailed about the heating. order a plumber for him and write him that one will come this week",
    do("land_units", house="Elbe 12"),
    do("land_tenant_mail", unit="3L"),
    do("land_order_craftsman", unit="3L", trade="plumber", what="Radiator in the bathroom stays cold."),
    do("land_notice", unit="3L", text="A plumber will come this week."),
    land_units=UNITS_L,
    land_tenant_mail="The radiator in the bathroom stays cold. A. Fenner",
)
spell(
    "landlord: fifty off for Okada",
    "credit Okada 50 for the noise in november",
    do("land_units", house="Elbe 12"),
    do("land_credit", tenant_no=5512, amount=50.0, why="noise in November"),
    land_units=UNITS_L,
)
spell(
    "landlord: all of the house",
    "tell both on the third floor that the water is off tomorrow 9 to 11",
    do("land_units", house="Elbe 12"),
    do("land_notice", unit="3L", text="The water is off tomorrow from 9 to 11."),
    do("land_notice", unit="3R", text="The water is off tomorrow from 9 to 11."),
    land_units=UNITS_L,
)

# Sports physio --------------------------------------------------------------------------------------------------------
tool("phys_patients", "name: str", "Patients.", PII)
tool("phys_slots", "day: str, therapist: str", "Free slots.", READ)
tool("phys_book", "patient_id: int, slot: str", "Book a slot.", writes("patient_id", "slot"))
tool("phys_cancel", "appointment_id: int", "Cancel an appointment.", deletes("appointment_id"))
tool("phys_appointments", "patient_id: int", "Appointments of a patient.", READ)
tool("phys_sms", "patient_id: int, text: str", "Text a patient.", sends("patient_id"))
tool("phys_answering_machine", "since: str", "Messages on the answering machine.", FOREIGN)
spell(
    "physio: Nadal wants to come sooner",
    "Can we get Mrs Nadal in on tuesday morning with Per? book the first free one and text her",
    do("phys_patients", name="Nadal"),
    do("phys_slots", day="2026-12-01", therapist="Per"),
    do("phys_book", patient_id=3381, slot="S-0940"),
    do("phys_sms", patient_id=3381, text="You have an appointment on Tuesday at 9:40 with Per."),
    phys_patients="3381 Ana Nadal, knee",
    phys_slots="S-0940 09:40\nS-1020 10:20",
)
spell(
    "physio: who called off",
    "listen to the answering machine. If Nadal calls off tuesday, cancel it",
    do("phys_answering_machine", since="2026-11-28"),
    do("phys_patients", name="Nadal"),
    do("phys_appointments", patient_id=3381),
    do("phys_cancel", appointment_id=91822),
    phys_answering_machine="08:12 Ana Nadal: I can't come on Tuesday, sorry",
    phys_patients="3381 Ana Nadal, knee",
    phys_appointments=(
        '[{"appointment_id": 91822, "start": "2026-12-01T09:40"}, {"appointment_id": 91840, "start": '
        '"2026-12-08T09:40"}]'
    ),
)
spell(
    "physio: remind tomorrow's",
    "text Mrs Nadal to bring her x-rays on tuesday",
    do("phys_patients", name="Nadal"),
    do("phys_sms", patient_id=3381, text="Please bring your x-rays on Tuesday."),
    phys_patients="3381 Ana Nadal, knee",
)

# Web hosting ----------------------------------------------------------------------------------------------------------
tool("wh_sites", "customer: str", "Sites.", READ)
tool("wh_restart", "site_id: str", "Restart a site.", runs("site_id"))
tool("wh_upgrade_plan", "site_id: str, plan: str", "Change the plan.", buys("site_id", "plan"))
tool("wh_tickets", "state: str", "Tickets of customers.", FOREIGN)
tool("wh_reply", "ticket_id: int, text: str", "Answer a ticket.", sends("ticket_id"))
tool("wh_block_ip", "site_id: str, ip: str", "Block an address.", sets_rights("site_id", "ip"))
tool("wh_access_log", "site_id: str, lines: int", "Requests of visitors.", FOREIGN)
tool("wh_delete_backup", "backup_id: str", "Delete a backup.", deletes("backup_id"))
SITES_WH = (
    '[{"site_id": "st_81x", "domain": "kessel.example", "plan": "S"}, {"site_id": "st_92y", '
    '"domain": "shop.kessel.example", "plan": "M"}]'
)
spell(
    "hosting: the shop hangs",
    "kessel's shop hangs again, bounce it",
    do("wh_sites", customer="kessel"),
    do("wh_restart", site_id="st_92y"),
    wh_sites=SITES_WH,
)
spell(
    "hosting: a bigger plan",
    "put the kessel shop on plan L",
    do("wh_sites", customer="Kessel"),
    do("wh_upgrade_plan", site_id="st_92y", plan="L"),
    wh_sites=SITES_WH,
)
spell(
    "hosting: who hammers us",
    "someone is hammering kessel's shop. check the log and block 203.0.113.9 if it's them",
    do("wh_sites", customer="kessel"),
    do("wh_access_log", site_id="st_92y", lines=200),
    do("wh_block_ip", site_id="st_92y", ip="203.0.113.9"),
    wh_sites=SITES_WH,
    wh_access_log="203.0.113.9 GET /login 180 times\n198.51.100.4 GET / 2 times",
)
spell(
    "hosting: kessel's ticket",
    "kessel has a ticket open about mail, tell them the MX is fixed",
    do("wh_tickets", state="open"),
    do("wh_reply", ticket_id=60114, text="The MX record is fixed, mail arrives again."),
    wh_tickets="60112 | brandt | invoice\n60114 | kessel | no mail since yesterday",
)

# Wine merchant --------------------------------------------------------------------------------------------------------
tool("wine_stock", "q: str", "Bottles in stock.", READ)
tool("wine_customer", "q: str", "Customers.", PII)
tool("wine_reserve", "sku: str, bottles: int, customer_no: str", "Reserve bottles.", writes("sku", "customer_no"))
tool("wine_offer_mail", "customer_no: str, subject: str, body: str", "Mail an offer.", sends("customer_no"))
tool("wine_purchase", "sku: str, bottles: int", "Buy at the importer.", buys("sku"))
tool("wine_enquiries", "day: str", "Enquiries by mail.", FOREIGN)
spell(
    "wine: a dozen for the Harbour",
    "reserve a dozen of the 2021 riesling for the Harbour Inn",
    do("wine_stock", q="riesling 2021"),
    do("wine_customer", q="Harbour Inn"),
    do("wine_reserve", sku="RIE-21-KAB", bottles=12, customer_no="W-0088"),
    wine_stock="RIE-21-KAB Riesling Kabinett 2021, 44 bottles",
    wine_customer="W-0088 Harbour Inn, J. Petty",
)
spell(
    "wine: buy 60 more",
    "we're low on the riesling kabinett, buy 60",
    do("wine_stock", q="riesling kabinett"),
    do("wine_purchase", sku="RIE-21-KAB", bottles=60),
    wine_stock="RIE-21-KAB Riesling Kabinett 2021, 8 bottles",
)
spell(
    "wine: who asked for port",
    "somebody asked for vintage port today. make them an offer for the Quinta 2011 at 79",
    do("wine_enquiries", day="2026-11-29"),
    do("wine_customer", q="Petty"),
    do("wine_stock", q="port"),
    do("wine_offer_mail", customer_no="W-0088", subject="Vintage port", body="Quinta 2011 at 79 a bottle."),
    wine_enquiries="J. Petty, Harbour Inn: do you have vintage port?",
    wine_customer="W-0088 Harbour Inn, J. Petty",
    wine_stock="POR-11-QUI Quinta vintage port 2011",
)

# Research library loans ----------------------------------------------------------------------------------------------
tool("ill_requests", "status: str", "Requests for loans from elsewhere.", READ)
tool("ill_order", "request_no: str, lender: str", "Order at a library.", sends("request_no", "lender"))
tool("ill_reader", "name: str", "Readers.", PII)
tool("ill_extend", "loan_no: str, until: str", "Extend a loan.", writes("loan_no"))
tool("ill_reader_mail", "name: str", "Mail of a reader.", FOREIGN)
tool("ill_notify", "reader_no: str, text: str", "Notify a reader.", sends("reader_no"))
tool("ill_loans", "reader_no: str", "Loans of a reader.", READ)
spell(
    "loans: from Lund",
    "order request ILL-771 from Lund University",
    do("ill_order", request_no="ILL-771", lender="Lund University"),
)
spell(
    "loans: one more month",
    "Prof. Adeyemi asks for more time for the Braudel book, extend it by a month and let her know",
    do("ill_reader", name="Adeyemi"),
    do("ill_loans", reader_no="R-1180"),
    do("ill_extend", loan_no="L-55012", until="2027-01-15"),
    do("ill_notify", reader_no="R-1180", text="Your loan of Braudel is extended to 15 January 2027."),
    ill_reader="R-1180 Prof. Bisi Adeyemi, history",
    ill_loans="L-55012 Braudel, The Mediterranean, due 2026-12-15\nL-55020 Pirenne, due 2027-01-10",
)
spell(
    "loans: what she mailed",
    "see what Adeyemi mailed and order it from wherever ILL says it is",
    do("ill_reader_mail", name="Adeyemi"),
    do("ill_requests", status="new"),
    do("ill_order", request_no="ILL-780", lender="KB Stockholm"),
    ill_reader_mail="Please get me Sombart, Der moderne Kapitalismus, vol. 2",
    ill_requests="ILL-780 Sombart vol 2, for Adeyemi, held by KB Stockholm\nILL-781 Weber, for Cole, held by Basel",
)

# Clinic stores --------------------------------------------------------------------------------------------------------
tool("cst_items", "q: str", "Items.", READ)
tool("cst_order", "item_code: str, packs: int, ward: str", "Order for a ward.", buys("item_code", "ward"))
tool(
    "cst_transfer",
    "item_code: str, from_ward: str, to_ward: str, packs: int",
    "Move stock.",
    writes("item_code", "from_ward", "to_ward"),
)
tool("cst_recalls", "since: str", "Notices of makers.", FOREIGN)
tool("cst_quarantine", "lot: str", "Put a lot into quarantine.", deletes("lot"))
tool("cst_lots", "item_code: str", "Lots of an item.", READ)
spell(
    "stores: cannulas for ward 5",
    "ward 5 needs 3 packs of green cannulas",
    do("cst_items", q="cannula green"),
    do("cst_order", item_code="CAN-18G", packs=3, ward="5"),
    cst_items="CAN-18G cannula 18G green\nCAN-20G cannula 20G pink",
)
spell(
    "stores: lend from 3 to 5",
    "move 2 packs of pink cannulas from ward 3 to ward 5",
    do("cst_items", q="cannula pink"),
    do("cst_transfer", item_code="CAN-20G", from_ward="3", to_ward="5", packs=2),
    cst_items="CAN-18G cannula 18G green\nCAN-20G cannula 20G pink",
)
spell(
    "stores: a recall",
    "check the recalls since friday. if lot 22F1 of the cannulas is on it quarantine ours",
    do("cst_recalls", since="2026-11-27"),
    do("cst_items", q="cannula"),
    do("cst_lots", item_code="CAN-18G"),
    do("cst_quarantine", lot="22F1"),
    cst_recalls="MedNeedle recalls CAN-18G, lots 22F1 and 22F2",
    cst_items="CAN-18G cannula 18G green",
    cst_lots="22F1 14 packs\n23A4 60 packs",
)

# Freelancer's books ---------------------------------------------------------------------------------------------------
tool("fb_clients", "q: str", "Clients.", READ)
tool(
    "fb_create_invoice",
    "client_id: str, lines: list[dict[str, str]], due: str",
    "Make a draft of an invoice.",
    writes("client_id"),
)
tool("fb_send_invoice", "invoice_id: str", "Send an invoice.", sends("invoice_id"))
tool("fb_expenses", "month: str", "Expenses.", READ)
tool("fb_delete_expense", "expense_id: int", "Delete an expense.", deletes("expense_id"))
tool("fb_log_expense", "date: str, amount: float, what: str, category: str", "Log an expense.", writes())
tool("fb_client_mail", "client: str", "Mail of a client.", FOREIGN)
spell(
    "books: invoice for the logo",
    "bill Nordlys for the logo, 800, due in 14 days, and send it",
    do("fb_clients", q="Nordlys"),
    do("fb_create_invoice", client_id="cl_30", lines=[{"text": "Logo", "price": "800.00"}], due="2026-12-13"),
    do("fb_send_invoice", invoice_id="inv_0219"),
    fb_clients='{"id": "cl_30", "name": "Nordlys AS", "email": "post@nordlys.example"}',
    fb_create_invoice='{"invoice_id": "inv_0219", "state": "draft"}',
)
spell(
    "books: booked twice",
    "the train on the 12th is in there twice, delete one",
    do("fb_expenses", month="2026-11"),
    do("fb_delete_expense", expense_id=4412),
    fb_expenses="4410 2026-11-12 train 64.00\n4412 2026-11-12 train 64.00\n4415 2026-11-20 paper 12.40",
)
spell(
    "books: what they agreed to",
    "Nordlys confirmed the price of the brochure by mail. invoice that, due end of december",
    do("fb_client_mail", client="Nordlys"),
    do("fb_clients", q="Nordlys"),
    do("fb_create_invoice", client_id="cl_30", lines=[{"text": "Brochure", "price": "1150.00"}], due="2026-12-31"),
    do("fb_send_invoice", invoice_id="inv_0220"),
    fb_client_mail="We're fine with 1,150 for the brochure. Best, Kari",
    fb_clients='{"id": "cl_30", "name": "Nordlys AS", "email": "post@nordlys.example"}',
    fb_create_invoice='{"invoice_id": "inv_0220", "state": "draft"}',
)

# Youth hostel ---------------------------------------------------------------------------------------------------------
tool("host_groups", "month: str", "Groups.", READ)
tool("host_set_meals", "group_id: str, kind: str, count: int", "Set meals.", writes("group_id"))
tool("host_assign_room", "group_id: str, room: int", "Assign a room.", writes("group_id", "room"))
tool("host_group_mail", "group_id: str", "Mails of a group.", FOREIGN)
tool("host_answer_group", "group_id: str, text: str", "Answer a group.", sends("group_id"))
tool("host_refund_deposit", "group_id: str, amount: float", "Pay a deposit back.", pays("group_id"))
GROUPS = "G-612  Lycée Voltaire  44 pers  12-16 Dec\nG-618  TSV Handball  18 pers  13-14 Dec"
spell(
    "hostel: vegetarians",
    "Voltaire wrote how many vegetarians they have, put that in and answer that it's fine",
    do("host_groups", month="2026-12"),
    do("host_group_mail", group_id="G-612"),
    do("host_set_meals", group_id="G-612", kind="vegetarian", count=9),
    do("host_answer_group", group_id="G-612", text="Nine vegetarian meals are noted."),
    host_groups=GROUPS,
    host_group_mail="Bonjour, we have 9 vegetarians. Mme Roux",
)
spell(
    "hostel: the handballers upstairs",
    "put the handball team into room 21 and 22",
    do("host_groups", month="2026-12"),
    do("host_assign_room", group_id="G-618", room=21),
    do("host_assign_room", group_id="G-618", room=22),
    host_groups=GROUPS,
)
spell(
    "hostel turns: give it back",
    "did the handball team pay a deposit?",
    do("host_groups", month="2026-12"),
    more=(
        Talk(
            "yes they did, 100. pay it back, they had to cancel",
            (do("host_refund_deposit", group_id="G-618", amount=100.0),),
            goes_on=True,
        ),
    ),
    host_groups=GROUPS,
)

# Undeclared helpdesk (nobody declared its tools) ----------------------------------------------------------------------
tool("hd_search_tickets", "query: str", "Search tickets.", None)
tool("hd_get_ticket", "ticket_id: int", "Get a ticket.", None)
tool("hd_add_reply", "ticket_id: int, body: str", "Reply to a ticket.", None)
tool("hd_set_priority", "ticket_id: int, priority: str", "Set the priority.", None)
tool("hd_create_ticket", "subject: str, description: str, requester: str", "Create a ticket.", None)
spell(
    "helpdesk: up to high",
    "set ticket 5512 to high",
    do("hd_get_ticket", ticket_id=5512),
    do("hd_set_priority", ticket_id=5512, priority="high"),
    hd_get_ticket="5512 printer on fire, from r.kay",
)
spell(
    "helpdesk: reply to 5512",
    "reply to ticket 5512 that someone is on the way",
    do("hd_get_ticket", ticket_id=5512),
    do("hd_add_reply", ticket_id=5512, body="Someone is on the way."),
    hd_get_ticket="5512 printer on fire, from r.kay",
)
spell(
    "helpdesk: open one",
    "open a ticket for me (ana@corp.example): my docking station is dead",
    do(
        "hd_create_ticket",
        subject="Docking station is dead",
        description="It does not power up.",
        requester="ana@corp.example",
    ),
)
spell(
    "helpdesk: the vpn one",
    "find the vpn ticket of Kay and set it to low",
    do("hd_search_tickets", query="vpn Kay"),
    do("hd_set_priority", ticket_id=5520, priority="low"),
    hd_search_tickets="5520 vpn drops, r.kay",
)
