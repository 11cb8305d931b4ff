"""Alerts on the source: what says that it does not answer, or that it may not be asked."""

from g6.alerting.alert import Alert
from g6.alerting.phrases import INSTANCE, LOGIN, MARKET_OPEN, UNTIL_OPEN, WHILE_OPEN, increase_by, problem, token_in

HEALTH = "g6-collection"
GONE, USABLE = token_in("dead|absent", "account"), token_in("valid|expiring")
ENDS = f"max by ({INSTANCE}, account) (max_over_time(g6_token_expiry_timestamp_seconds[5m]))"
NEXT_OPEN = "max by (instance) (last_over_time(g6_market_next_open_timestamp_seconds[5m]))"
# From the morning's end of tokens on, with time to spare; on a holiday nobody need log in.
MORNING = f"{UNTIL_OPEN} < $morning_seconds"

PROVIDER = (
    Alert(
        "G6TokenDead", "critical",
        f"{GONE} unless on ({INSTANCE}) ({USABLE}) {WHILE_OPEN}", "1m",
        "The market is open and no access token is valid",
        f"The token of {{{{ $labels.account }}}} is gone, and no other account has one: nothing can be asked until a"
        f" person logs in with {LOGIN}.",
        HEALTH, "token_dead", follows=("G6Down",),
    ),
    Alert(
        "G6LoginNeeded", "warning",
        f"{GONE} and on (instance) ({MORNING} or {MARKET_OPEN})", "5m",
        "A person must log in",
        f"{{{{ $labels.account }}}} has no valid access token. {LOGIN} makes one.",
        HEALTH, "token_dead", seconds={"morning_seconds": 14400}, follows=("G6Down", "G6TokenDead"),
    ),
    Alert(
        "G6TokenExpiring", "warning",
        f"({ENDS} - time() < $expiring_seconds {WHILE_OPEN})"
        f" or ({ENDS} - time() > 0 and on ({INSTANCE}, account) ({ENDS} < on (instance) group_left () {NEXT_OPEN})"
        f" and on (instance) ({MORNING}))", "1m",
        "The access token ends too early",
        "The token of {{ $labels.account }} ends in {{ $value | humanizeDuration }}: before the market opens, or while"
        f" it is open. {LOGIN} makes a new one; the running collector takes it over.",
        HEALTH, "token_expiring", seconds={"expiring_seconds": 3600, "morning_seconds": 14400},
        follows=("G6Down", "G6TokenDead"),
    ),
    Alert(
        "G6ProviderSilent", "warning", problem("provider_silent"), "2m",
        "The provider gives no quotes at all",
        "Every request fails or is empty. `g6 check provider` says who answers.",
        HEALTH, "provider_gone", follows=("G6Down", "G6TokenDead"),
    ),
    Alert(
        "G6ProviderFailingOver", "warning", problem("provider_failing_over"), "3m",
        "Another provider answers than the preferred one",
        "The preferred provider does not answer, and the next in providers.order does.",
        HEALTH, "first_provider_gone", follows=("G6Down",),
    ),
    Alert(
        "G6ProviderTrouble", "info", problem("provider_trouble"), "5m",
        "A provider complains",
        "Something about the provider needs a look, though minutes are recorded: `g6 status` has its words.",
        HEALTH, "instruments_gone", follows=("G6Down", "G6ProviderSilent", "G6TokenDead"),
    ),
    Alert(
        "G6BreakerOpen", "warning",
        "max_over_time(g6_breaker_state[1m]) == 2 and on (job, instance, endpoint)"
        " increase(g6_breaker_opens_total[15m]) > 0", "3m",
        "Calls to an endpoint are held back after failures",
        "The breaker of {{ $labels.endpoint }} has been open for three minutes: the endpoint fails each time that it"
        " is tried.",
        HEALTH, "provider_gone", follows=("G6Down", "G6TokenDead"),
    ),
    Alert(
        "G6RateLimitPressure", "info",
        f"{increase_by('g6_provider_limiter_wait_seconds_total', '', '5m')} > $waited_seconds"
        f" or on (job, instance) "
        f"""{increase_by("g6_provider_failures_total", "", "5m", '{kind="rate_limited"}')} > 3.5""", "3m",
        "Asking is slowed by the broker's rate limit",
        "Minutes wait for the broker's limit of requests a second; collect fewer strikes, or use the stream.",
        HEALTH, "rate_limited", seconds={"waited_seconds": 150}, keeps="5m",
    ),
    Alert(
        "G6InstrumentsStale", "warning",
        "time() - max by (job, instance) (max_over_time(g6_instruments_day_timestamp_seconds[5m])) > $day_seconds"
        f" {WHILE_OPEN}", "5m",
        "The list of instruments is not of today",
        "Contracts are planned from a list that is {{ $value | humanizeDuration }} old: new strikes and expiries are"
        " missing from it.",
        HEALTH, "instruments_gone", seconds={"day_seconds": 104400}, follows=("G6Down", "G6TokenDead"),
    ),
    Alert(
        "G6StreamSilent", "warning",
        "time() - max by (job, instance, connection) (max_over_time(g6_stream_last_message_timestamp_seconds[5m]))"
        f" > $silent_seconds {WHILE_OPEN}", "1m",
        "The stream says nothing, not even a heartbeat",
        "Connection {{ $labels.connection }} has been silent for {{ $value | humanizeDuration }}; REST fills in, at"
        " one request a second.",
        # The instant is told once a minute, so that it is a minute old while all is well.
        HEALTH, "stream_mute", seconds={"silent_seconds": 90}, follows=("G6Down", "G6TokenDead"),
    ),
    Alert(
        "G6StreamReconnecting", "info",
        f"{increase_by('g6_stream_reconnects_total', 'connection', '15m')} > 3.5", "1m",
        "The stream is made anew again and again",
        "Connection {{ $labels.connection }} was made anew {{ printf `%.0f` $value }} times in a quarter of an hour.",
        HEALTH, "stream_dropped", keeps="5m",
    ),
)  # fmt: skip
