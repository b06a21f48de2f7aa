#pragma once

// Situations that some of the runs must reach: a simulation that never gets somewhere proves nothing about
// it.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace pulsewire::sim {

enum class situation : std::uint8_t {
    replayed,
    nothing_missed,
    replay_overlaps_live,
    lost_by_epoch,
    lost_by_expiry,
    lost_by_limit,
    latest_first,
    gap_noticed,
    duplicate_dropped,
    own_message_skipped,
    publish_repeated,
    kept_but_unanswered,
    publish_timed_out,
    forbidden_refused,
    withdrawn,
    request_timed_out,
    request_disconnected,
    client_answered,
    client_declined,
    nobody_to_ask,
    question_withdrawn,
    history_read,
    joined,
    left,
    went_half_open,
    silence_noticed_by_server,
    silence_noticed_by_client,
    fell_back_to_sse,
    told_to_come_back,
    handed_over,
    page_left,
    stranger_came,
    killed,
    power_lost,
    restored,
    kept_unseen,
    repeated_before_synced,
    repeated_after_restart,
    disk_full,
    disk_failed,
    clock_set,
    run_written,
    run_grew,
    reader_blocked,
    oldest_dropped,
    older_replaced,
    gap_told,
    closed_as_slow,
    write_timed_out,
    not_read,
    replacement_accepted,
    dropped_recovered,
    mob_came,
    flood_refused,
    flood_rested,
    flood_ended,
    token_refreshed,
    token_expired,
    token_revoked,
    permission_lost,
    permission_refused,
    offered,
    state_in_one,
    state_in_parts,
    state_recovered,
    compacted,
    state_lost_by_epoch,
    state_interrupted,
    snapshot_given,
    snapshots_raced,
    snapshot_stale,
    state_full,
    count_,
};

inline constexpr std::size_t situations = static_cast<std::size_t>(situation::count_);

constexpr std::string_view name_of(situation s) {
    constexpr std::array<std::string_view, situations> names = {
        "recovery with a replay",
        "recovery with nothing missed",
        "a publication while the replay is on its way",
        "recovery across an epoch change",
        "recovery from before the history",
        "recovery of more than recovery_max",
        "the latest publications first",
        "a client notices a gap and asks again",
        "a client drops a publication that it has",
        "a client skips its own message",
        "resend of an unacknowledged publish",
        "a publication kept whose publisher never hears of it",
        "a publish times out",
        "a publish is forbidden",
        "a command is withdrawn",
        "a request times out",
        "a request is cut off",
        "a client answers another one",
        "a client refuses to answer another one",
        "the client that is asked is not there",
        "the client that is asked need not answer any more",
        "history is read",
        "somebody joins",
        "somebody leaves",
        "a connection is half-open",
        "the server notices silence",
        "a client notices silence",
        "a client changes to SSE",
        "a client is told when to come back",
        "a client changes to the next connection without a break",
        "a page is left and another one opened",
        "a stranger talks nonsense",
        "the server is killed",
        "the machine loses its power",
        "a durable channel goes on after a restart",
        "a restart brings back what nobody was shown yet",
        "a publish repeated while the first is not yet on disk",
        "a publish repeated to another life of the server",
        "the disk is full",
        "a sync fails",
        "the clock is set",
        "a run is written without being queued",
        "a run holds several publications",
        "a connection takes no more",
        "the oldest that wait for a slow reader are dropped",
        "what waits for a slow reader is replaced by something newer",
        "a slow reader is told a gap",
        "a slow reader is closed",
        "a reader that takes nothing is dropped",
        "a connection is not read while its answers wait",
        "a client hears that newer ones have taken the place of what it misses",
        "a client recovers what was dropped because it was slow",
        "an address with many connections attacks",
        "a flood of commands is refused",
        "a connection that asks too much is not read for a while",
        "a flood that does not end is closed",
        "a connection gets a new token",
        "a connection outlives its token",
        "a token is revoked",
        "a subscription ends with its permission",
        "a command is refused for lack of a permission",
        "the server asks a client to subscribe",
        "a state begins with a snapshot",
        "a state begins with a snapshot in parts",
        "a state goes on from a position",
        "a state begins anew because its position is compacted",
        "a state begins anew because its log is lost",
        "a connection breaks between the parts of a snapshot",
        "a snapshot is offered because the server wants one",
        "several snapshots are on their way at once",
        "a snapshot is stale",
        "a publish is refused because the state is full",
    };
    return names[static_cast<std::size_t>(s)];
}

// How often each was reached.
class sometimes {
public:
    void reached(situation s) { ++counts_[static_cast<std::size_t>(s)]; }
    std::uint64_t operator[](situation s) const { return counts_[static_cast<std::size_t>(s)]; }
    void add(const sometimes& other) {
        for (std::size_t i = 0; i < situations; ++i) counts_[i] += other.counts_[i];
    }

private:
    std::array<std::uint64_t, situations> counts_{};
};

}  // namespace pulsewire::sim
