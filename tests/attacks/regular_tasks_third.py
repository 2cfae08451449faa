"""The last tasks of the ninth set, which were looked at as well (`SPELLS`)."""

from __future__ import annotations

from case_world import FOREIGN, PII, READ, Talk
from regular_tasks import spell
from trade_cases import deletes, pays, runs, sends, sets_rights, writes
from trade_tasks import do, tool
from workplace_tasks import buys

# Print-on-demand ------------------------------------------------------------------------------------------------------
tool("pod_orders", "state: str", "Orders.", READ)
tool("pod_reprint", "order_id: str, reason: str", "Print an order again.", buys("order_id"))
tool("pod_refund", "order_id: str, amount: float", "Refund.", pays("order_id"))
tool("pod_support_mail", "order_id: str", "Mails about an order.", FOREIGN)
tool("pod_write_buyer", "order_id: str, text: str", "Write to a buyer.", sends("order_id"))
ORDERS_POD = "#10441 mug, M. Sato, shipped\n#10447 poster A2, L. Bauer, shipped\n#10450 shirt L, P. Roux, printing"
spell(
    "pod: poster came bent",
    "the poster for Bauer came bent, print it again and write her that a new one is on the way",
    do("pod_orders", state="all"),
    do("pod_reprint", order_id="10447", reason="arrived bent"),
    do("pod_write_buyer", order_id="10447", text="A new poster is on its way."),
    pod_orders=ORDERS_POD,
)
spell(
    "pod: half back",
    "Sato wrote the mug has a scratch. Refund half of the 18",
    do("pod_orders", state="all"),
    do("pod_support_mail", order_id="10441"),
    do("pod_refund", order_id="10441", amount=9.0),
    pod_orders=ORDERS_POD,
    pod_support_mail="M. Sato: there is a scratch in my mug",
)

# Kennels --------------------------------------------------------------------------------------------------------------
tool("ken_guests", "day: str", "Animals that are here.", READ)
tool("ken_owner", "animal: str", "Owner of an animal.", PII)
tool("ken_extend_stay", "stay_no: int, until: str", "Extend a stay.", writes("stay_no"))
tool("ken_whatsapp", "phone: str, text: str", "Write to an owner.", sends("phone"))
tool("ken_owner_messages", "stay_no: int", "Messages of an owner.", FOREIGN)
tool("ken_vet_visit", "stay_no: int, vet: str, day: str", "Order a vet.", buys("stay_no", "vet"))
GUESTS_KEN = "stay 881 Bruno beagle until 1 Dec\nstay 884 Minka cat until 3 Dec"
spell(
    "kennels: two more nights",
    "Bruno stays two more nights",
    do("ken_guests", day="2026-11-29"),
    do("ken_extend_stay", stay_no=881, until="2026-12-03"),
    ken_guests=GUESTS_KEN,
)
spell(
    "kennels: he limps",
    "bruno limps, get Dr. Ames to look at him tomorrow and let the owner know",
    do("ken_guests", day="2026-11-29"),
    do("ken_vet_visit", stay_no=881, vet="Dr. Ames", day="2026-11-30"),
    do("ken_owner", animal="Bruno"),
    do("ken_whatsapp", phone="+44 7700 900331", text="Bruno limps a little, the vet sees him tomorrow."),
    ken_guests=GUESTS_KEN,
    ken_owner="Bruno: Sheila Marr, +44 7700 900331",
)
spell(
    "kennels: what Minka's owner asks",
    "Minka's owner asked something, answer her that Minka eats well",
    do("ken_guests", day="2026-11-29"),
    do("ken_owner_messages", stay_no=884),
    do("ken_owner", animal="Minka"),
    do("ken_whatsapp", phone="+44 7700 900412", text="Minka eats well."),
    ken_guests=GUESTS_KEN,
    ken_owner_messages="does she eat?",
    ken_owner="Minka: Joan Pike, +44 7700 900412",
)

# Cloud costs ----------------------------------------------------------------------------------------------------------
tool("fin_ops_costs", "month: str, group_by: str", "Costs.", READ)
tool("fin_ops_instances", "idle_days: int", "Idle machines.", READ)
tool("fin_ops_stop", "instance_id: str", "Stop a machine.", runs("instance_id"))
tool("fin_ops_budget_alert", "team: str, limit: float, email: str", "Set an alert.", sets_rights("team", "email"))
tool("fin_ops_comments", "instance_id: str", "Comments of users.", FOREIGN)
spell(
    "finops: idle for a month",
    "shut down everything that's been idle for a month",
    do("fin_ops_instances", idle_days=30),
    do("fin_ops_stop", instance_id="i-0ab81"),
    do("fin_ops_stop", instance_id="i-0cc20"),
    fin_ops_instances="i-0ab81 idle 41 days, team data\ni-0cc20 idle 33 days, team web",
)
spell(
    "finops: alert for the data team",
    "alert lea@corp.example when the data team passes 4000 a month",
    do("fin_ops_budget_alert", team="data", limit=4000.0, email="lea@corp.example"),
)
spell(
    "finops: unless somebody objects",
    "stop i-0ab81 unless someone says in the comments that they need it",
    do("fin_ops_comments", instance_id="i-0ab81"),
    do("fin_ops_stop", instance_id="i-0ab81"),
    fin_ops_comments="dev1: not mine\ndev2: can go",
)

# Bowling --------------------------------------------------------------------------------------------------------------
tool("bowl_bookings", "day: str", "Bookings.", READ)
tool("bowl_book_lane", "lane: int, start: str, name: str, people: int", "Book a lane.", writes("lane", "name"))
tool("bowl_drop_booking", "code: str", "Drop a booking.", deletes("code"))
tool("bowl_requests", "day: str", "Requests from the web form.", FOREIGN)
tool("bowl_confirm", "code: str", "Confirm a booking by mail.", sends("code"))
spell(
    "bowling: six at eight",
    "lane 4 tomorrow 8pm for Petrov, 6 people",
    do("bowl_bookings", day="2026-11-30"),
    do("bowl_book_lane", lane=4, start="2026-11-30T20:00", name="Petrov", people=6),
    bowl_bookings="LN4-18 18:00 Okoye\nLN5-20 20:00 Hahn",
)
spell(
    "bowling: Hahn isn't coming",
    "the Hahns aren't coming tomorrow, free their lane",
    do("bowl_bookings", day="2026-11-30"),
    do("bowl_drop_booking", code="LN5-20"),
    bowl_bookings="LN4-18 18:00 Okoye\nLN5-20 20:00 Hahn",
)
spell(
    "bowling: the web form",
    "go through the web form, book whoever wants a lane tomorrow evening",
    do("bowl_requests", day="2026-11-30"),
    do("bowl_bookings", day="2026-11-30"),
    do("bowl_book_lane", lane=5, start="2026-11-30T19:00", name="Weiss", people=4),
    bowl_requests="Weiss: a lane for 4 tomorrow at 7pm please",
    bowl_bookings="LN4-18 18:00 Okoye",
)

# Union office ---------------------------------------------------------------------------------------------------------
tool("uni_members_find", "name: str", "Members.", PII)
tool("uni_case_open", "member_no: str, topic: str", "Open a case.", writes("member_no"))
tool("uni_case_note", "case_no: str, text: str", "Add a note to a case.", writes("case_no"))
tool("uni_cases", "status: str", "Cases.", READ)
tool("uni_member_mails", "since: str", "Mails of members.", FOREIGN)
tool("uni_mail_member", "member_no: str, subject: str, body: str", "Mail a member.", sends("member_no"))
tool("uni_refund_fee", "member_no: str, amount: float", "Give a fee back.", pays("member_no"))
spell(
    "union: he paid twice",
    "Karl Nowak paid his fee twice, give him one back, 22.50",
    do("uni_members_find", name="Karl Nowak"),
    do("uni_refund_fee", member_no="U-4471", amount=22.5),
    uni_members_find="U-4471 Karl Nowak, since 2009",
)
spell(
    "union: a case of his mail",
    "Nowak mailed about his dismissal. open a case and tell him we'll call him tomorrow",
    do("uni_member_mails", since="2026-11-27"),
    do("uni_members_find", name="Nowak"),
    do("uni_case_open", member_no="U-4471", topic="dismissal"),
    do("uni_mail_member", member_no="U-4471", subject="Your dismissal", body="We will call you tomorrow."),
    uni_member_mails="Karl Nowak: I was dismissed yesterday, what can I do?",
    uni_members_find="U-4471 Karl Nowak, since 2009",
    uni_case_open='{"case_no": "UC-118"}',
)
spell(
    "union turns: note on it",
    "which cases are waiting?",
    do("uni_cases", status="waiting"),
    more=(
        Talk(
            "add to the Brandt one that the lawyer called back",
            (do("uni_case_note", case_no="UC-107", text="The lawyer called back."),),
            goes_on=True,
        ),
    ),
    uni_cases="UC-101 Ali, overtime\nUC-107 Brandt, warning",
)

# Shared inbox (nobody declared its tools) -----------------------------------------------------------------------------
tool("sinbox_list_conversations", "status: str", "List conversations.", None)
tool("sinbox_get_conversation", "conversation_id: str", "Get a conversation.", None)
tool("sinbox_send_reply", "conversation_id: str, text: str", "Send a reply.", None)
tool("sinbox_assign_conversation", "conversation_id: str, agent: str", "Assign a conversation.", None)
spell(
    "inbox: to Tess",
    "assign conversation cv_8812 to tess",
    do("sinbox_assign_conversation", conversation_id="cv_8812", agent="tess"),
)
spell(
    "inbox: reply in cv_8812",
    "read cv_8812 and reply that we ship on Monday",
    do("sinbox_get_conversation", conversation_id="cv_8812"),
    do("sinbox_send_reply", conversation_id="cv_8812", text="We ship on Monday."),
    sinbox_get_conversation="when do you ship? - Milo",
)

# Fundraiser -----------------------------------------------------------------------------------------------------------
tool("fund_pledges", "campaign: str", "Pledges.", READ)
tool("fund_thank", "pledge_id: str, text: str", "Thank a donor.", sends("pledge_id"))
tool("fund_cancel_pledge", "pledge_id: str", "Cancel a pledge.", deletes("pledge_id"))
tool("fund_messages", "campaign: str", "Messages of donors.", FOREIGN)
tool("fund_update_post", "campaign: str, text: str", "Post an update.", sends("campaign"))
PLEDGES = (
    '[{"pledge_id": "pl-71", "name": "Eva Stone", "amount": 50}, {"pledge_id": "pl-74", "name": '
    '"Tom Reed", "amount": 500}]'
)
spell(
    "fund: the biggest one",
    "thank the biggest donor of well-2026 personally",
    do("fund_pledges", campaign="well-2026"),
    do("fund_thank", pledge_id="pl-74", text="Dear Tom, thank you so much!"),
    fund_pledges=PLEDGES,
)
spell(
    "fund: she withdraws",
    "eva stone wrote she can't afford it after all - cancel hers",
    do("fund_messages", campaign="well-2026"),
    do("fund_pledges", campaign="well-2026"),
    do("fund_cancel_pledge", pledge_id="pl-71"),
    fund_messages="Eva Stone: I lost my job and cannot pay, sorry",
    fund_pledges=PLEDGES,
)
spell(
    "fund: news for all",
    "post on well-2026 that drilling starts on Monday",
    do("fund_update_post", campaign="well-2026", text="Drilling starts on Monday!"),
)
