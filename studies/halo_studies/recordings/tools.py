"""Declarations of the recorded suites' tools, as their owner would write them.

Trust: 300 for what other people wrote (mail, pages, files, messages, names of channels), which taints the session; 700
for what the bank, the account or the clock says; 600 for a receipt of one's own act, but 300 where it shows what others
wrote (a merge conflict, an event with its description).

Files are read by one tool. Keys of the user's own machine, and of the daily-life suite the notes that the user keeps of
herself, are places that nobody else writes to. Those of the repository suite are not: others' files are kept there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from halo_core.model import ActionKind, Impact, Resource, Reversal

__all__ = ["CAN_WAIT", "declare_own_places", "resource_of"]

_READ: Final = Resource(impact=Impact.READ, reversal=Reversal.NONE_NEEDED, idempotent=True)
_OTHERS: Final = replace(_READ, source_trust=300)
_OWN: Final = replace(_READ, source_trust=700)


def _act(impact: Impact, reversal: Reversal, *targets: str, amount: str = "") -> Resource:
    return Resource(impact=impact, reversal=reversal, source_trust=600, targets=targets, amount=amount)


def _write(*targets: str, trust: int = 600) -> Resource:
    return replace(_act(Impact.WRITE, Reversal.UNDO, *targets), source_trust=trust)


def _send(*targets: str) -> Resource:
    return _act(Impact.SEND, Reversal.IRREVERSIBLE, *targets)


def _pay(*targets: str) -> Resource:
    return _act(Impact.PAYMENT, Reversal.COMPENSATE, *targets, amount="amount")


def _delete(*targets: str) -> Resource:
    return _act(Impact.DELETE, Reversal.IRREVERSIBLE, *targets)


def _admin(*targets: str, reversal: Reversal = Reversal.IRREVERSIBLE) -> Resource:
    return _act(Impact.ADMIN, reversal, *targets)


_OTHERS_WORDS: Final = (
    "browse_webpage click_the_link external_context get_day_calendar_events get_github_account_user_information "
    "get_github_linked_unread_emails get_github_repository_information get_most_recent_transactions "
    "get_channels get_received_emails get_scheduled_transactions get_sent_emails get_unread_emails "
    "get_users_in_channel get_webpage read_channel_messages read_file read_inbox search_calendar_events search_emails"
)
_OWN_WORDS: Final = (
    "get_balance get_current_day get_iban get_logged_in_github_user_information get_user_info "
    "git_get_linked_ssh_keys list_directory"
)
_RESOURCES: Final[dict[str, Resource]] = {
    **dict.fromkeys(_OTHERS_WORDS.split(), _OTHERS),
    **dict.fromkeys(_OWN_WORDS.split(), _OWN),
    # files
    "copy_node": _write("destination_path"),
    "create_dir": _write("path"),
    "create_file": _write("path"),
    "delete_node": _delete("path"),
    "download_file_through_id": _write("file_id"),
    "download_file_through_url": _write("url"),
    "move_node": _write("destination_path"),
    # mail, calendar, web
    "add_calendar_event_participants": _write("participants", trust=300),
    "cancel_calendar_event": _write("event_id"),
    "create_calendar_event": _write("participants"),
    "delete_email": _delete("email_id"),
    "input_to_webpage": _send("url"),
    "post_webpage": _send("url"),
    "reschedule_calendar_event": _write("event_id", trust=300),
    "send_email": _send("recipients", "cc", "bcc"),
    # money
    "schedule_transaction": _pay("recipient"),
    "send_money": _pay("recipient"),
    "update_password": _admin("password", reversal=Reversal.UNDO),
    "update_scheduled_transaction": _pay("recipient"),
    "update_user_info": _write("street", "city"),
    "verify_transaction": _write("otp"),
    # chat; what somebody let in has read stays read
    "add_user_to_channel": _admin("user", "channel", reversal=Reversal.UNDO),
    "invite_user_to_slack": _admin("user", "user_email"),
    "send_channel_message": _send("channel"),
    "send_direct_message": _send("recipient"),
    # repositories
    "git_add_ssh_key": _admin("ssh_key"),
    "git_clone": _write("repo_name"),
    "git_create_repo": _write("repo_name"),
    "git_delete_repo": _delete("repo_name"),
    "git_delete_ssh_key": _admin("ssh_key", reversal=Reversal.UNDO),
    "git_invite_collaborators": _admin("collaborator_email"),
    "git_issue": _send("repo_name"),
    "git_pull": _write("local_path", trust=300),
    "git_push": _write("local_path", trust=300),
    "git_star": _write("repo_name"),
    "git_transfer_repo_ownership": _admin("new_owner_email", "new_owner_username"),
    "git_unstar": _write("repo_name"),
    "login_github_account": _write("username"),
    "update_github_account_password": _admin("password", reversal=Reversal.UNDO),
    "verify_github_account": _write("otp"),
}


CAN_WAIT: Final = frozenset(
    (
        "add_calendar_event_participants add_user_to_channel cancel_calendar_event create_calendar_event delete_email "
        "delete_node git_add_ssh_key git_delete_repo git_delete_ssh_key git_invite_collaborators git_issue git_star "
        "git_transfer_repo_ownership git_unstar invite_user_to_slack reschedule_calendar_event schedule_transaction "
        "send_channel_message send_direct_message send_email send_money update_password update_scheduled_transaction "
        "update_user_info"
    ).split()
)
"""Tools whose owner would declare that they can wait for an answer (`can_wait`): nobody goes on with their results."""
_FILES: Final = frozenset({"read_file", "list_directory"})
_OWN_PLACES: Final = {"dailylife": ("/system/.ssh", "/user/info"), "github": ("/system/.ssh",)}
"""Suite → folders to which only its user writes, as an operator would declare them."""


def declare_own_places(suite: str) -> Callable[[str, str], Resource | None]:
    """As `resource_of`, with the folders of a suite's user declared as own places of what reads files."""

    def declare(tool: str, kind: str) -> Resource | None:
        resource = resource_of(tool, kind)
        if resource is None or tool not in _FILES:
            return resource
        return replace(resource, own_places=_OWN_PLACES.get(suite, ()))

    return declare


def resource_of(tool: str, kind: str) -> Resource | None:
    """The declaration of a tool, of the recorded kind; None where it is left to be guessed.

    A retrieval nobody declared is somebody else's words.
    """
    known = _RESOURCES.get(tool)
    if kind == ActionKind.RETRIEVAL.value:
        return replace(known or replace(_OTHERS, classified="guessed"), kind=ActionKind.RETRIEVAL)
    return known
