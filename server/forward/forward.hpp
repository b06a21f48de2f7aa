#pragma once

// One entry of config::forward: does what its forwarder says, with a door of a hub on one side and a target
// on the other. All of it is on the thread of the loop.

#include "server/config.hpp"
#include "server/forward/door.hpp"
#include "server/forward/forwarder.hpp"
#include "server/forward/mapping.hpp"
#include "server/forward/place_file.hpp"
#include "server/forward/target.hpp"
#include "server/log_limit.hpp"
#include "server/shard/forward_counters.hpp"

#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace pulsewire::shell::forward {

// Where the channels of a forward are.
struct surroundings {
    std::string place_path;        // a file; empty: places live as long as the process, as the channels do
    std::uint32_t partitions = 0;  // of the shared log that the channels are in; 0: they are this node's
    std::int64_t forget_ms = 0;    // as forwarder's
};

class forward {
public:
    // The error is a sentence for the operator.
    static result<std::unique_ptr<forward>, std::string> make(
        forward_settings of, surroundings where, std::shared_ptr<boost::asio::io_context> loop
    );
    forward(const forward&) = delete;
    forward& operator=(const forward&) = delete;

    const forward_counters& counters() const { return counters_; }
    void start(node& home, hub::shard_index where);
    void on_news(std::span<const hub::channel_news> news);
    void on_turns(std::span<const cluster::log_output::turn> turns);
    void tick();
    // Reads nothing more. What is on its way may still arrive.
    void hold() { logic_->hold(); }
    bool is_idle() const { return logic_->in_flight() == 0; }

private:
    // A partition of the shared log whose channels this node forwards.
    struct led {
        std::uint64_t turn = 0;
        bool has_begun = false;  // it is known where everything begins
        std::int64_t newest_ms = std::numeric_limits<std::int64_t>::min();  // that was heard of
        std::int64_t kept_ms = std::numeric_limits<std::int64_t>::min();    // the place that was written last
    };

    forward(
        forward_settings of, surroundings where, mapping m, std::shared_ptr<boost::asio::io_context> loop
    );
    bool is_of(const std::string& channel, cluster::partition_index p) const;
    void begin(cluster::partition_index p, std::uint64_t turn, std::vector<hub::channel_rest>&& rests);
    void on_page(const std::string& channel, std::optional<page> found);
    void on_ready();
    void on_lost(const std::string& reason);
    void on_acknowledged(ticket number);
    void on_refused(ticket number, const std::string& why);
    void carry_out();
    void keep_places();
    void keep_places_in_log();

    const forward_settings of_;
    const surroundings where_;
    const mapping mapping_;
    const std::shared_ptr<boost::asio::io_context> loop_;  // shared with what a shard may still answer
    forward_counters counters_;
    std::optional<target> target_;
    std::optional<forwarder> logic_;
    std::optional<place_file> file_;
    node* home_ = nullptr;
    std::unique_ptr<door> door_;
    std::map<cluster::partition_index, led> led_;
    std::uint64_t turns_ = 0;
    std::int64_t kept_in_log_ms_ = 0;
    std::string file_fault_;
    bool is_away_ = false;  // the destination, and the log says so
    log::limit lines_;
};

// The channel of a partition in which a forward keeps its place, in the namespace that it forwards.
std::string place_channel(
    std::string_view name, std::string_view name_space, cluster::partition_index p, std::uint32_t partitions
);

}  // namespace pulsewire::shell::forward
