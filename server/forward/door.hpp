#pragma once

// The way by which a forward reads channels, and keeps its place where the channels are those of the shared
// log: a session of a hub that may do what an API key may do.

#include "server/forward/publication.hpp"
#include "server/shard/node.hpp"

#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace pulsewire::shell::forward {

class door {
public:
    // Nothing: the hub cannot answer for now.
    using on_page = std::function<void(const std::string& channel, std::optional<page> found)>;

    // The answers are given on `loop`, which is shared: it must be there as long as a shard may still answer.
    // `home` is started, and outlives the door.
    door(
        node& home, hub::shard_index where, std::string session,
        std::shared_ptr<boost::asio::io_context> loop, on_page read
    );
    ~door();
    door(const door&) = delete;
    door& operator=(const door&) = delete;

    // Answered later, once; not at all when the server is about to end.
    void read(const std::string& channel, std::uint64_t after);
    // Not answered: whoever writes a place writes the next one soon.
    void publish(const std::string& channel, std::string payload);

private:
    class inside;
    // Shared with what was posted to the shard.
    const std::shared_ptr<inside> inside_;
};

}  // namespace pulsewire::shell::forward
