#pragma once

// One node's copy of a partition: it follows the log, applies it, and appends what its node wants done. The
// shell hands in what the broker's adapter reports and the time, and carries out what comes back. Nothing is
// shown, answered or served before the node's own hello was read back from the log on the present connection.

#include "common/cluster/appender.hpp"
#include "common/cluster/broker_port.hpp"
#include "common/cluster/checkpoint_writer.hpp"
#include "common/cluster/command_queue.hpp"
#include "common/cluster/image_collector.hpp"
#include "common/cluster/own_members.hpp"
#include "common/cluster/partition_state.hpp"
#include "common/cluster/silence.hpp"
#include "common/exchange/instant.hpp"

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace pulsewire::cluster {

struct replica_options {
    partition_index partition = 0;
    log_rules rules;
    // What this node's configuration says; the secret is drawn by it, in case that it is the first.
    shared_options shared;
    std::uint16_t level_max = 1;
    // The operator's word that this broker never loses what it showed: an incarnation that is not told counts
    // as unchanged.
    bool broker_is_durable = false;
    // A publish is acknowledged only when the broker's adapter has also reported it as `appended`.
    bool waits_for_broker = false;
    // The process that held this node's place before; 0: unknown. It is certain to be gone.
    process_id predecessor = 0;
    // Hashes names in this node's tables.
    hash_key local;
    // A source of process numbers and of small delays. Two starts of a node must not share it.
    std::uint64_t seed = 0;

    // Publishes that wait for the log, by count, bytes and time; beyond: broker_unavailable.
    std::size_t queue_count_max = 100'000;
    std::size_t queue_bytes_max = 64u << 20;
    std::int64_t queue_ms = 10'000;
    // Records that were appended and not read back; beyond: the queue waits.
    std::size_t window_records = 16;
    // Bytes of a checkpoint's image in one record, which has a head, too.
    std::size_t image_chunk_bytes = record_bytes_max - 1024;
    // A record that is not read back for so long is sent again, with all behind it. After `resends_max` times
    // the connection is given up.
    std::int64_t resend_ms = 2'000;
    std::uint32_t resends_max = 2;
    // Silence of the node in the log after which it signs.
    std::int64_t sign_ms = 1'000;
    // Between two connections, at least half of it; and from opening one to its first answer.
    std::int64_t reconnect_ms = 400;
    std::int64_t connect_ms = 5'000;
    // A copy that differs from another node's is read anew, and for that reason not again for so long: if the
    // program is at fault, that does not help, and nobody would be served any more. One that differs from a
    // checkpoint is read anew in any case.
    std::int64_t reread_ms = 10 * 60'000;
};

// Whether a client's position is named in the channel's present epoch.
enum class naming : std::uint8_t { present, other };

// A client's position against this copy.
enum class fit : std::uint8_t {
    fits,
    wait,           // the copy may only be behind: ask again when more was read
    epoch_changed,  // it is of another log
    expired,        // what follows it is not kept any more
};

// --- what a replica reports to its node ---

// The copy serves. Subscriptions go on from their positions.
struct serving {};
// Nothing shared goes on until `serving`.
struct degraded {
    std::string reason;  // one sentence for people
};
// A connection ended before the copy served again.
struct still_away {
    std::string reason;  // one sentence for people
};
// The copy was thrown away, because the log does not continue it: each position that came from it is to be
// judged anew, as if its client had just come.
struct copy_lost {};
// Positions in the epochs of `before` are as good in those of `now`: nothing was missed.
struct restated {
    fingerprint before;
    fingerprint now;
    std::uint64_t renewals = 0;  // of the log's epoch, this one included
};
// An effect of the log, in order.
struct shown {
    effect what;
};
struct accepted {
    command_id id = 0;
    channel_epoch epoch;
    std::uint64_t offset = 0;
    bool repeated = false;
};
struct not_accepted {
    command_id id = 0;
    refusal why = refusal::too_late;
    std::uint64_t offset = 0;  // conflict: of the newest publication of the key; 0: there is none
};
// The publish or note may be in the log or not; a publish with a key is safe to repeat.
struct unavailable {
    command_id id = 0;
};
// This node cannot take part in the log at all, until an operator changed something.
struct standing_back {
    std::string reason;
};

using replica_event = std::variant<
    serving, degraded, still_away, copy_lost, restated, shown, accepted, not_accepted, unavailable,
    standing_back>;

struct replica_output {
    std::vector<to_broker> broker;
    std::vector<replica_event> events;
};

class replica {
public:
    explicit replica(replica_options options);

    // What the adapter reports. Reports of older connections are passed over.
    void on(const from_broker& what, const hub::instant& now, replica_output& out);
    // To be called every 100 ms or so.
    void on_time(const hub::instant& now, replica_output& out);

    // Commands. `accepted_ms` of the publish is set here.
    void publish(command_id id, publish_op p, const hub::instant& now, replica_output& out);
    // Answered as a publish is, with the offset 0.
    void note(command_id id, const note_op& n, const hub::instant& now, replica_output& out);
    void join(const join_op& j, const hub::instant& now, replica_output& out);
    void part(const part_op& p, const hub::instant& now, replica_output& out);
    // A planned end: the process says that it goes. Nothing is accepted any more.
    void stop(const hub::instant& now, replica_output& out);

    bool serves() const { return up_ && is_alive(); }
    // It cannot take part in the log at all.
    bool stands_back() const { return phase_ == phase::stopped; }
    // Whether nothing that it appended or was asked to append is on its way.
    bool is_idle() const { return queue_.empty() && appender_.empty() && answers_.empty(); }
    // The copy; null while none is there. It may be read when serves().
    const partition_state* state() const { return state_.get(); }
    process_id process() const { return process_; }
    // Whether a position of a client that came at `came_ms` fits: the one rule by which subscribes wait, and
    // by which all who were subscribed go on when a copy serves again.
    fit judge(std::string_view channel, naming epoch, std::uint64_t offset, std::int64_t came_ms) const;

private:
    enum class phase : std::uint8_t {
        away,       // no connection
        opening,    // asked for one
        scanning,   // without a copy: looking for the newest image
        verifying,  // the first record must be the last that the copy knows
        reading,    // up to where the log ended when the connection was opened, and then for good
        stopped,    // stood back
    };
    struct connection {
        log_connection number = 0;
        std::int64_t retry_ms = INT64_MIN;  // when to open the next
        std::int64_t heard_ms = 0;          // when the broker reported something last
        // What the log held when it was opened.
        mark first;
        mark last;
        std::optional<std::string> incarnation;
        bool hello_sent = false;
    };
    // Outcomes that were read back, to be reported when that is safe.
    struct answer {
        log_connection connection = 0;
        std::uint64_t attempt = 0;
        command asked;
        replica_event outcome;
    };

    bool is_alive() const { return state_ != nullptr && state_->processes().find(process_) != nullptr; }

    void open(std::int64_t now_ms, replica_output& out);
    void close(std::string reason, std::int64_t now_ms, replica_output& out);
    void stop_serving(std::string reason, replica_output& out);
    void stand_back(std::string reason, replica_output& out);
    void on_opened(const opened& o, const hub::instant& now, replica_output& out);
    void on_record(const record_read& r, const hub::instant& now, replica_output& out);
    void scan(const record_read& r, const hub::instant& now, replica_output& out);
    std::string why_no_image() const;
    void say_hello(const hub::instant& now, replica_output& out);

    bool is_last_known(const record_read& r) const;
    void lose_copy(replica_output& out);
    void lose_prefix(std::int64_t now_ms, replica_output& out);
    void lose_place(std::int64_t now_ms, replica_output& out);
    void read_anew(const hub::instant& now, replica_output& out);
    void begin_new_process();
    what_was_read read_so_far() const;
    void apply(const record_read& r, const hub::instant& now, replica_output& out);
    void take_own(const applied& a, const std::vector<effect>& effects);
    void come_up(const hub::instant& now, replica_output& out);
    bool options_agree(replica_output& out);

    void send(std::string bytes, std::int64_t now_ms, replica_output& out);
    void post(owned_body what, const hub::instant& now, replica_output& out);
    void pump(const hub::instant& now, replica_output& out);
    void go_again(std::vector<appender::sent_record> records);
    void refuse_waiting(replica_output& out);
    void release_answers(replica_output& out);
    void expire(std::int64_t now_ms, replica_output& out);
    void ask(command&& c, const hub::instant& now, replica_output& out);
    void queue_member(std::string bytes, std::int64_t now_ms);

    void do_chores(const hub::instant& now, replica_output& out);
    void write_checkpoint();
    void trim(replica_output& out);

    replica_options options_;
    std::uint64_t random_;
    process_id process_ = 0;
    process_id predecessor_;

    phase phase_ = phase::away;
    bool up_ = false;  // the own hello was read back on this connection
    bool stopping_ = false;
    connection connection_;

    std::unique_ptr<partition_state> state_;
    mark at_;                        // of the last record that was applied
    bool never_served_ = true;       // nothing of the copy was shown
    std::optional<log_base> proof_;  // what was shown of a log that is lost
    image_collector images_;
    std::uint64_t image_position_ = 0;        // of the image that the copy began with
    mark genesis_;                            // first record of a log that was never trimmed; {0, 0}: unknown
    bool begins_foreign_ = false;             // the log's first record is nobody's of ours
    std::uint64_t image_limit_ = UINT64_MAX;  // newer ones are not of this log
    bool options_agree_ = false;              // the log has options, and they are this node's
    std::int64_t fresh_ms_ = INT64_MIN;       // when the newest own record that was read back was written
    std::int64_t reread_ms_ = INT64_MIN;      // the copy is not read anew before, because it differs

    std::vector<effect> effects_;  // of the record that is applied, here to keep its memory
    command_queue queue_;
    own_members members_;
    appender appender_;
    std::deque<answer> answers_;
    std::int64_t own_ms_ = 0;  // when an own record was appended or read back last
    // Said on this connection: the predecessor is gone, all know a higher level.
    bool said_predecessor_ = false;
    bool said_level_ = false;
    silence silence_;
    checkpoint_writer checkpoint_;
    std::int64_t checkpoint_ms_ = 0;  // not before
    mark trimmed_;
};

}  // namespace pulsewire::cluster
