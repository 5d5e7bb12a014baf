"""What each error that Slack documents means for a delivery.

The names are those of chat.postMessage, chat.update, conversations.open, .history and .replies, users.lookupByEmail,
auth.test and of incoming webhooks (docs.slack.dev). What is about one target is Refused: that subscription waits for
its owner, the others go on. What is about the token stops the channel after one call.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from notifier.errors import Cause, ChannelStopped, Refused, SendError, TryLater, Unknown

Verdict = tuple[type[SendError], str]

_LOGIN = "check slack_token, or install the app in the workspace again"
_HOOK = "make a new incoming webhook and set slack_webhook"
_INVITE = "invite the app to it"
_ANOTHER = "choose another channel"
_PERSON = "choose a person of this workspace"
_TORN = "somebody deleted the first part of the digest"
_OURS = "this is a fault of the message, not of the channel; please report it"
_AGAIN = "it is tried again later"

_GROUPS: tuple[tuple[type[SendError], str, str], ...] = (
    (ChannelStopped, _LOGIN, "not_authed invalid_auth account_inactive token_revoked token_expired"),
    (ChannelStopped, _LOGIN, "not_allowed_token_type two_factor_setup_required team_access_not_granted"),
    (ChannelStopped, "give the app the scope it lacks and install it again", "missing_scope"),
    (ChannelStopped, "allow this machine's network, or this app, in the workspace's settings", "accesslimited"),
    (ChannelStopped, "the workspace's plan does not allow it; ask its owner", "enterprise_is_restricted"),
    (ChannelStopped, "install a newer version of this program", "deprecated_endpoint method_deprecated unknown_method"),
    (ChannelStopped, _HOOK, "invalid_token no_active_hooks no_service no_service_id no_team team_disabled"),
    (Refused, f"check its name, or {_INVITE}", "channel_not_found"),
    (Refused, _INVITE, "not_in_channel no_permission access_denied"),
    (Refused, f"unarchive it or {_ANOTHER}", "is_archived channel_is_archived"),
    (Refused, f"the workspace does not let the app post there; {_ANOTHER}", "restricted_action action_prohibited"),
    (Refused, _ANOTHER, "restricted_action_read_only_channel restricted_action_thread_only_channel"),
    (Refused, _ANOTHER, "restricted_action_non_threadable_channel restricted_action_thread_locked"),
    (Refused, _ANOTHER, "cannot_reply_to_message posting_to_general_channel_denied channel_type_not_supported"),
    (Refused, _ANOTHER, "method_not_supported_for_channel_type slack_connect_canvas_sharing_blocked"),
    (Refused, _ANOTHER, "slack_connect_file_link_sharing_blocked slack_connect_lists_sharing_blocked"),
    (Refused, "turn on the app's messages tab", "messages_tab_disabled"),
    (Refused, "name the channel by its id, such as C0123456789", "team_not_found"),
    (Refused, _PERSON, "user_not_found users_not_found user_not_visible user_disabled cannot_dm_bot"),
    (Refused, _PERSON, "invalid_user_combination not_enough_users too_many_users users_list_not_supplied"),
    (Refused, _TORN, "thread_not_found message_not_found"),
    (Refused, _OURS, "msg_too_long msg_blocks_too_long no_text invalid_blocks invalid_blocks_format"),
    (Refused, _OURS, "invalid_payload missing_text_or_fallback_or_attachments too_many_attachments"),
    (Refused, _OURS, "too_many_contact_cards attachment_payload_limit_exceeded markdown_text_conflict"),
    (Refused, _OURS, "invalid_metadata_format invalid_metadata_schema metadata_too_large"),
    (Refused, _OURS, "metadata_must_be_sent_from_app missing_file_data as_user_not_supported"),
    (Refused, _OURS, "send_on_behalf_not_allowed duplicate_channel_not_found duplicate_message_not_found"),
    (Refused, _OURS, "invalid_arguments invalid_arg_name invalid_array_arg invalid_charset invalid_form_data"),
    (Refused, _OURS, "invalid_post_type missing_post_type invalid_json json_not_object"),
    (Refused, _OURS, "invalid_cursor invalid_limit invalid_ts_latest invalid_ts_oldest invalid_metadata_filter_keys"),
    (Refused, _OURS, "cant_update_message edit_window_closed block_mismatch cant_broadcast_message is_inactive"),
    (Refused, _OURS, "no_dual_broadcast_content_update slack_connect_file_upload_sharing_blocked"),
    (TryLater, _AGAIN, "ratelimited rate_limited message_limit_exceeded service_unavailable request_timeout"),
    (TryLater, f"the workspace is being moved; {_AGAIN}", "team_added_to_org org_login_required"),
    (TryLater, f"its administrators have suspended posting; {_AGAIN}", "ekm_access_denied"),
    (TryLater, _AGAIN, "rollup_error external_channel_migrating update_failed"),
    # "It's possible some aspect of the operation succeeded before the error was raised."
    (Unknown, "it may have been posted all the same", "internal_error fatal_error"),
)

ERRORS: Mapping[str, Verdict] = MappingProxyType(
    {name: (kind, advice) for kind, advice, names in _GROUPS for name in names.split()}
)


def cause_of(verdict: Verdict) -> Cause | None:
    """What a refusal was about: the message, else the place, be it a person; None leaves it to the kind of error."""
    kind, advice = verdict
    if kind is not Refused or advice is _TORN:
        return None
    return Cause.MESSAGE if advice is _OURS else Cause.CHANNEL


UNLISTED: Verdict = (TryLater, _AGAIN)
"""An error Slack has not documented may be passing, and attempts are counted: it ends as a failure that is
seen, while a refusal would lose the digest over a new word."""
