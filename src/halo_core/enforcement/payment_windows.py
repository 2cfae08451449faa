"""Payments of the last 24 hours: how much was paid to each target and by each principal, and whether one is repeated.

A payment of 20 by Ana to an account counts in two windows: that of the account (for the agent's role) and Ana's. Rules
read the sums as `context.target_sum` and `context.principal_sum`, and a repetition as `context.repeated`.

A window is one row of the table of quotas, and every entry that changes it commits to its state. It holds keyed digests
instead of targets and principals. Beyond `_MAX_PAYMENTS` payments the oldest are folded into one sum, which counts
until the newest of them is a day old. Until then every further payment of the window counts as a repetition, since an
equal one may be among them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from operator import attrgetter
from typing import Any, Final, NamedTuple

from halo_core.crypto import canonical
from halo_core.crypto.keys import Digester
from halo_core.durations import DAY_US, HOUR_US
from halo_core.ledger import commit_state
from halo_core.model import AccessRequest, ActionKind, Impact
from halo_core.policy.encoding import MAX_AMOUNT, find_amount, read_amount
from halo_core.quick_dataclass import dataclass
from halo_core.store.quota_rows import QuotaTable
from halo_core.store.transaction import Transaction
from halo_core.values.facts.answer_scope import asks_for, find_distinguishing_values, names_value
from halo_core.values.payments.further_payments import find_further_amounts, names_one_payee
from halo_core.values.payments.payment_counts import count_equal_payments
from halo_core.values.provenance.forms import find_forms, states_payment

WINDOW_US: Final = DAY_US
_MAX_PAYMENTS: Final = 64
"""Payments of one window that are kept one by one."""
_PER_HUNDREDTH: Final = 100
"""Ten-thousandths, in which amounts are kept, in a hundredth."""
_DIGEST_CHARS: Final = 32
"""Hex digits of a digest that are kept, 128 bits."""


class Payment(NamedTuple):
    """One payment of a window.

    Args:
        time_us: when it ran, microseconds since the epoch.
        amount: absolute, in ten-thousandths: 20.00 is 200_000.
        mark: digest of tool, targets, amount and object: two payments with one mark are the same payment twice. Empty
            in the window of a principal, which has a sum for each hour.
        request: id of the request, shortened.
        message: digest of the user's message that named its targets, empty if none did.
    """

    time_us: int
    amount: int
    mark: str = ""
    request: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class PaymentWindow:
    """The payments of one account within the time window.

    Args:
        account: name of the row: `paid-to:` or `paid-by:`, and a digest.
        version: version of the row.
        payments: oldest first.
        rest: (newest time, sum) of older payments that are kept as one sum; (0, 0) for none.
        stored_bytes: the bytes it was read from; empty for a new row.
    """

    account: str
    version: int = 0
    payments: tuple[Payment, ...] = ()
    rest: tuple[int, int] = (0, 0)
    stored_bytes: bytes = b""

    @classmethod
    def read(cls, table: QuotaTable, account: str, at_us: int) -> PaymentWindow:
        """The window at a time, without payments older than a day."""
        stored = table.get(account)
        if stored is None:
            return cls(account)
        tree = canonical.loads(stored[1])
        since = at_us - WINDOW_US
        payments = tuple([Payment(*item) for item in tree["payments"] if item[0] > since])
        overflow = (tree["rest"][0], tree["rest"][1]) if tree["rest"][0] > since else (0, 0)
        return cls(account, stored[0], payments, overflow, stored[1])

    @property
    def total(self) -> int:
        """Sum of the payments, in ten-thousandths."""
        total = self.rest[1]
        for item in self.payments:
            total += item.amount
        return min(total, MAX_AMOUNT)

    def holds_request(self, request: str) -> bool:
        """Whether this request was counted already, before a pause."""
        return request in map(attrgetter("request"), self.payments)

    def repeats(self, mark: str, message: str, ordered: int = 1) -> bool:
        """Whether a payment with this mark was made and no other user message asks for it again.

        Args:
            mark: of the payment.
            message: digest of the user's message that asks for it.
            ordered: how many equal payments that message orders.
        """
        equal = [item for item in self.payments if item.mark == mark]
        # INVARIANT: a message renews a permission as often as it says, once if it says nothing of several payments.
        is_renewed = bool(message) and [item.message for item in equal].count(message) < ordered
        return not is_renewed and (bool(equal) or self.rest[1] > 0)

    def add(self, payment: Payment) -> PaymentWindow:
        """The next version, with one more payment."""
        payments, overflow = [*self.payments, payment], self.rest
        if not payment.mark and self.payments:
            last = self.payments[-1]
            if last.time_us // HOUR_US == payment.time_us // HOUR_US:
                amount = min(last.amount + payment.amount, MAX_AMOUNT)
                payments[-2:] = [last._replace(amount=amount, time_us=payment.time_us)]
        while len(payments) > _MAX_PAYMENTS:
            oldest = payments.pop(0)
            # Even a payment of nothing leaves a sum, which says that there was one.
            overflow = max(overflow[0], oldest.time_us), min(overflow[1] + max(oldest.amount, 1), MAX_AMOUNT)
        return PaymentWindow(self.account, self.version + 1, tuple(payments), overflow, self.stored_bytes)

    def to_bytes(self) -> bytes:
        """Canonical bytes for the `state` column."""
        return canonical.dumps({"payments": list(map(list, self.payments)), "rest": list(self.rest)})


class WindowChange(NamedTuple):
    """The next version of one window.

    Args:
        account: name of its row.
        version: version of the row.
        state: its bytes.
        before: bytes of the version before.
    """

    account: str
    version: int
    state: bytes
    before: bytes

    def make_commitment(self) -> dict[str, Any]:
        """The commitment to the change in an entry."""
        return {"account": self.account, **commit_state(self.version, self.state, before=self.before)}


def store_changes(tx: Transaction, changes: Sequence[WindowChange]) -> None:
    """Write the next version of each window."""
    if changes:
        QuotaTable(tx).put_all([item[:3] for item in changes])


@dataclass(frozen=True, slots=True)
class PaymentFacts:
    """The windows' state for one payment before it runs.

    Args:
        amount: amount in ten-thousandths; None if it cannot be read.
        targets: windows of its targets.
        principal: the principal's window.
        payment: the payment as it would be counted.
        is_repeated: the same payment was made, and nobody asked for it again (`PaymentWindow.repeats`).
        is_counted: this same request was counted before a pause, after which it goes on.
        paid_to_target: the largest sum of any of its targets, without this payment.
        paid_by_principal: the principal's sum, without this payment.
        request: the newest message of the user that asks for a payment, empty if none does.
        ordered: how many equal payments the message orders that this payment rests on.
    """

    amount: int | None
    targets: tuple[PaymentWindow, ...]
    principal: PaymentWindow
    payment: Payment
    is_repeated: bool
    is_counted: bool
    paid_to_target: int
    paid_by_principal: int
    request: str = ""
    ordered: int = 1

    @property
    def paid_for_message(self) -> int:
        """The largest sum already paid to any of its targets for the same user message.

        Equal payments are left out as far as the message orders several of them.
        """
        if not self.payment.message:
            return 0
        total = max(map(self._sum_for_message, self.targets), default=0)
        return max(total - self.payment.amount, 0) if self.is_counted else total

    def _sum_for_message(self, window: PaymentWindow) -> int:
        paid = [item for item in window.payments if item.message == self.payment.message]
        equal = [item.mark for item in paid].count(self.payment.mark)
        return sum(item.amount for item in paid) - min(equal, self.ordered - 1) * self.payment.amount

    def list_changes(self) -> list[WindowChange]:
        """Each window with this payment added, by account; empty if it was counted before."""
        if self.is_counted:
            return []
        plain = Payment(self.payment.time_us, self.payment.amount)
        changed = [*[window.add(self.payment) for window in self.targets], self.principal.add(plain)]
        changed.sort(key=attrgetter("account"))
        return [WindowChange(item.account, item.version, item.to_bytes(), item.stored_bytes) for item in changed]


def read_amount_at_stake(request: AccessRequest, args: Mapping[str, Any]) -> int | None:
    """The amount that a call names, in ten-thousandths; None if it names none that can be read."""
    name = request.resource.amount
    is_needed = bool(name) or request.resource.impact is Impact.PAYMENT
    return read_amount(find_amount(args, name)) if is_needed and not request.problem else None


def read_payment_facts(
    tx: Transaction,
    request: AccessRequest,
    args: Mapping[str, Any],
    amount: int | None,
    *,
    role: str,
    user_messages: Sequence[str],
    unvouched: Collection[str],
    digester: Digester,
    at_us: int,
) -> PaymentFacts | None:
    """Read the windows that a payment counts in, and what they say of it; None for any other action.

    Args:
        tx: the transaction.
        request: what is decided.
        args: the real arguments.
        amount: see `read_amount_at_stake`.
        role: role of the actor.
        user_messages: what the user has said, oldest first; empty if a target is not the user's.
        unvouched: names of arguments whose values nobody vouched for.
        digester: keyed digests.
        at_us: time of the decision.
    """
    resource = request.resource
    if resource.impact is not Impact.PAYMENT or request.kind is not ActionKind.TOOL_CALL or request.problem:
        return None
    values = find_distinguishing_values(resource, args, unvouched)
    message = _find_message(user_messages, values.targets)
    payment = Payment(
        at_us,
        abs(amount or 0),
        mark=_digest(digester, resource.id, *values.targets, amount, *values.objects),
        request=_shorten(request.request_id),
        message=_digest(digester, "message", message) if message else "",
    )
    targets, principal = _read_windows(tx, request, values.targets, role=role, digester=digester, at_us=at_us)
    further = _find_further_message(user_messages, values.targets, payment.amount // _PER_HUNDREDTH)
    if further:
        digest = _digest(digester, "further", further)
        paid = [item for window in targets for item in window.payments if item.request != payment.request]
        # INVARIANT: a message that adds an amount to a target lets it be paid once, under any reference.
        if digest not in map(attrgetter("message"), paid):
            message, payment = further, payment._replace(message=digest)
    is_counted = is_repeated = False
    paid_to_target = 0
    ordered = count_equal_payments(message, payment.amount // _PER_HUNDREDTH)
    for window in targets:
        is_counted = is_counted or window.holds_request(payment.request)
        is_repeated = is_repeated or window.repeats(payment.mark, payment.message, ordered)
        paid_to_target = max(paid_to_target, window.total)
    own = payment.amount if is_counted else 0
    return PaymentFacts(
        amount,
        targets,
        principal,
        payment,
        is_repeated=is_repeated and not is_counted and not resource.idempotent,
        is_counted=is_counted,
        paid_to_target=max(paid_to_target - own, 0),
        paid_by_principal=max(principal.total - own, 0),
        request=next(filter(_asks_for_payment, reversed(user_messages)), ""),
        ordered=ordered,
    )


def _read_windows(
    tx: Transaction, request: AccessRequest, targets: Sequence[str], *, role: str, digester: Digester, at_us: int
) -> tuple[tuple[PaymentWindow, ...], PaymentWindow]:
    """The windows of the targets of a payment, and that of its principal."""
    table, unit = QuotaTable(tx), request.resource.unit
    keys = targets or ("",)  # without a declared target, one window for all such payments
    accounts = sorted({f"paid-to:{_digest(digester, role, unit, key)}" for key in keys})
    payer = request.subject.reference or request.subject.user or role
    return (
        tuple([PaymentWindow.read(table, account, at_us) for account in accounts]),
        PaymentWindow.read(table, f"paid-by:{_digest(digester, payer, unit)}", at_us),
    )


def _digest(digester: Digester, *parts: object) -> str:
    """Keyed digest of what identifies a window, a payment or a message, 128 bits as hex digits."""
    return _shorten(digester.digest("halo/payment-window", canonical.dumps([*parts])))


def _shorten(digest: str) -> str:
    """The first characters of a digest (`hmac:9f2c…`) or an id, without its prefix."""
    return digest.rpartition(":")[2][:_DIGEST_CHARS]


def _find_message(user_messages: Sequence[str], targets: Sequence[str]) -> str:
    """The newest user message that names every target and asks for a payment; empty if there is none."""
    if not targets:
        return ""
    for text in reversed(user_messages):
        if _asks_for_payment(text) and all(names_value(text, item) for item in targets):
            return text
    return ""


def _find_further_message(user_messages: Sequence[str], targets: Sequence[str], hundredths: int) -> str:
    """The message that adds this amount to what an earlier one orders for the targets; empty if there is none.

    Of the messages before it, the last that asks for a payment or names an account has to name all targets, and
    nobody else.
    """
    if not targets:
        return ""
    adding = ""
    for text in reversed(user_messages):
        forms = find_forms(text, amounts=False)
        has_account = any(form.domain in ("iban", "digits", "email") for form in forms)
        amounts = frozenset() if has_account else find_further_amounts(text)
        if hundredths in amounts:
            adding = text
        elif not amounts and (has_account or _asks_for_payment(text)):
            is_named = _asks_for_payment(text) and all(names_value(text, item) for item in targets)
            return adding if is_named and names_one_payee(text, forms) else ""
    return ""


def _asks_for_payment(text: str) -> bool:
    """Whether a message asks for a payment by a verb, or states one."""
    return asks_for(text, Impact.PAYMENT) or states_payment(text)
