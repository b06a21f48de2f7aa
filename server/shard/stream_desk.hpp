#pragma once

// The streams (docs/streams.md) that somebody on this shard reads or writes now: of each, its state, made of
// the publications of its channel by a subscription of the shard's own. Every shard makes the same of the
// same publications, so shards need no word about it. All of it belongs to the shard's thread.

#include "common/exchange/instant.hpp"
#include "common/exchange/message.hpp"
#include "server/shard/program_sessions.hpp"
#include "server/streams/log.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace pulsewire::shell {

class hub_runner;

class stream_desk {
    struct entry;

public:
    // Both outlive its use, but may be destroyed before it.
    stream_desk(hub_runner& hub, program_sessions& programs);
    ~stream_desk();
    stream_desk(const stream_desk&) = delete;
    stream_desk& operator=(const stream_desk&) = delete;

    // Somebody's interest in a stream: as long as it is held, the state is kept and follows the channel.
    class use {
    public:
        use() = default;
        use(use&& other) noexcept { *this = std::move(other); }
        use& operator=(use&& other) noexcept;
        ~use() { release(); }
        void release();

        enum class standing : std::uint8_t { loading, ready, failed };
        standing how() const;
        // The two members below say something where it is ready. The log may change with every call of
        // `changed`.
        const streams::log& log() const;
        const std::string& epoch() const;  // of the channel
        // From now on outcomes of publications are kept for outcome_at().
        void expect_outcomes();
        // Nothing: it has not come yet.
        std::optional<streams::outcome> outcome_at(std::uint64_t offset) const;
        // The stream is read: it lives on, if it has a time to live.
        void read();

    private:
        friend class stream_desk;
        stream_desk* desk_ = nullptr;
        entry* of_ = nullptr;
        std::uint64_t id_ = 0;
        bool expects_ = false;
    };
    // `changed` is called when the state is known, and whenever it has changed, on this thread, and not after
    // the use has ended.
    use open(const std::string& channel, std::function<void()> changed);

    // A stream that may have ended by itself, and that nobody may ask for any more; it is looked at at this
    // time (wall clock).
    void look_at(std::string channel, std::int64_t wall_ms);
    // To be called about once a second: removes streams that have ended, and forgets what nobody uses.
    void sweep(hub::instant now);
    std::size_t size() const { return entries_.size(); }

private:
    void begin(entry& e);
    void end(entry& e);
    void begin_again(entry& e);
    void on(entry& e, const hub::message_ptr& m);
    void take(entry& e, const hub::message_ptr& m);
    void tell(entry& e);
    void publish(entry& e, std::string_view type, std::string_view payload, std::uint64_t covers);
    void remove_ended(entry& e, hub::instant now);

    hub_runner& hub_;
    program_sessions& programs_;
    std::unordered_map<std::string, std::unique_ptr<entry>> entries_;
    std::multimap<std::int64_t, std::string> looked_at_;  // by wall clock
    std::uint64_t last_use_ = 0;
};

}  // namespace pulsewire::shell
