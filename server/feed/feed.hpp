#pragma once

// One entry of config::consume: does what its consumer says, with a source of records on one side and a door
// of a hub on the other. All of it is on the thread of the loop.

#include "server/config.hpp"
#include "server/feed/consumer.hpp"
#include "server/feed/door.hpp"
#include "server/feed/mapping.hpp"
#include "server/feed/source.hpp"
#include "server/log_limit.hpp"
#include "server/shard/feed_counters.hpp"

#include <boost/asio/io_context.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace pulsewire::shell::feed {

class feed {
public:
    // The error is a sentence for the operator.
    static result<std::unique_ptr<feed>, std::string> make(
        consume_settings of, std::uint32_t payload_bytes_max, std::shared_ptr<boost::asio::io_context> loop
    );
    feed(const feed&) = delete;
    feed& operator=(const feed&) = delete;

    const feed_counters& counters() const { return counters_; }
    void start(node& home, hub::shard_index where);
    void tick();
    void release(std::function<void()> done) { source_->release(std::move(done)); }

private:
    feed(consume_settings of, mapping m, std::shared_ptr<boost::asio::io_context> loop);
    void on_record(record&& one);
    void on_buried(ticket number, const std::string& refused);
    void on_reading();
    void on_waiting();
    void on_lost(const std::string& reason);
    void on_answer(ticket number, error_code refused, const std::string& text);
    void forget_all();
    void carry_out();
    void bury(ticket number, const std::string& reason);

    const consume_settings of_;
    const mapping mapping_;
    const std::shared_ptr<boost::asio::io_context> loop_;  // shared with what a shard may still answer
    feed_counters counters_;
    consumer logic_;
    std::optional<source> source_;
    std::unique_ptr<door> door_;
    std::map<ticket, record> records_;  // those in flight that may turn out bad
    bool is_away_ = false;              // the broker, and the log says so
    log::limit bad_lines_;
};

}  // namespace pulsewire::shell::feed
