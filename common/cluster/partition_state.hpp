#pragma once

// The state of a partition: a pure function of the records of its log, the same on every node that read as
// many. Nothing here knows a clock, a node's configuration or its connections. The rules are in
// docs/decisions/0019-one-shared-log.md.

#include "common/cluster/effect.hpp"
#include "common/cluster/log_chain.hpp"
#include "common/cluster/log_rules.hpp"
#include "common/cluster/record.hpp"
#include "common/cluster/registry.hpp"
#include "common/cluster/shared_channels.hpp"
#include "common/cluster/shared_notes.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace pulsewire::cluster {

enum class verdict : std::uint8_t {
    counted,
    void_,  // has its position, and no effect
    newer,  // was not applied: this program is too old for the log
};

// The outcome of a record, and whose it is; the writer is 0 when the bytes are not a record.
struct applied {
    verdict what = verdict::void_;
    process_id process = 0;
    log_connection connection = 0;
    std::uint64_t seq = 0;
    std::int64_t written_ms = 0;  // monotonic clock of the writer
};

// A whole image of the state at `at` that the log holds.
struct checkpoint {
    log_base at;
    mark at_mark;                 // of the record at that position
    std::uint64_t at_bytes = 0;   // bytes of the log up to there
    std::uint64_t end = 0;        // position of its last chunk
    std::uint64_t end_bytes = 0;  // ... and the bytes of the log up to there
    std::int64_t end_log_ms = 0;  // ... and the log's time
};

class partition_state {
public:
    // `local` hashes names in this node's tables; `level_max` is the highest behaviour that this program
    // knows.
    partition_state(const log_rules& rules, const hash_key& local, std::uint16_t level_max = 1);
    partition_state(const partition_state&) = delete;
    partition_state& operator=(const partition_state&) = delete;

    // Applies the next record. Its effects are added to `effects`.
    applied apply(std::string_view bytes, std::vector<effect>& effects);

    const log_chain& chain() const { return chain_; }
    const registry& processes() const { return processes_; }
    const shared_channels& channels() const { return channels_; }
    const shared_notes& notes() const { return notes_; }
    const fingerprint& epoch() const { return epoch_; }
    channel_epoch epoch_of(std::string_view channel) const {
        return {epoch_, channels_.generation_of(channel)};
    }
    // What was published in the channel before this log time is kept no more, though a record removes it only
    // when the next publication comes.
    std::int64_t kept_since_ms(std::string_view channel) const;
    std::uint16_t level() const { return level_; }
    // Oldest first, two at most.
    const std::vector<checkpoint>& checkpoints() const { return checkpoints_; }
    // Whether somebody alive is writing a checkpoint.
    bool checkpoint_begun() const { return !partial_.empty(); }
    // Bytes of the log behind the newest checkpoint.
    std::uint64_t bytes_since_checkpoint() const;

    // All of it as bytes, the same on every node; and back. Null when the bytes are no image of this program.
    std::string image() const;
    static std::unique_ptr<partition_state> from_image(
        std::string_view bytes, const log_rules& rules, const hash_key& local, std::uint16_t level_max = 1
    );

private:
    // A checkpoint of which not all chunks are here yet.
    struct partial_checkpoint {
        log_base at;
        mark at_mark;
        std::uint64_t at_bytes = 0;
        std::uint32_t next = 0;
        std::uint32_t count = 0;
    };

    bool judge(const record& r, std::vector<effect>& effects);
    bool judge_hello(const record& r, const hello& h, bool base_fits, std::vector<effect>& effects);
    void act(const record& r, const life& writer, std::vector<effect>& effects);
    void take_chunk(process_id from, const image_chunk& c, std::vector<effect>& effects);
    void renew(renewal why, std::vector<effect>& effects);
    void remove(process_id p, std::vector<effect>& effects);
    void note(const effect& e);
    bool read(byte_reader& r);

    log_rules rules_;
    std::uint16_t level_max_;
    log_chain chain_;
    registry processes_;
    shared_channels channels_;
    shared_notes notes_;
    fingerprint epoch_;
    std::uint64_t renewals_ = 0;  // of it
    bool incarnation_told_ = false;
    std::string incarnation_;  // of the newest hello
    std::uint16_t level_ = 1;
    std::vector<checkpoint> checkpoints_;
    std::map<process_id, partial_checkpoint> partial_;
};

}  // namespace pulsewire::cluster
