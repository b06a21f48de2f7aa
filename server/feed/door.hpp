#pragma once

// The way by which a feed publishes: a session of a hub that may do what an API key may do. Schemas, limits
// and the memory of keys hold for it as for everybody.

#include "common/protocol/codes.hpp"
#include "server/feed/mapping.hpp"
#include "server/feed/record.hpp"
#include "server/shard/node.hpp"

#include <boost/asio/io_context.hpp>

#include <functional>
#include <memory>
#include <string>

namespace pulsewire::shell::feed {

class door {
public:
    // `refused` is none where the publication is as safe as its namespace says.
    using on_answer = std::function<void(ticket number, error_code refused, std::string text)>;

    // `session` is the publisher whose share of remembered keys counts. The answers are given on `loop`,
    // which is shared: it must be there as long as a shard may still answer. `home` is started, and outlives
    // the door.
    door(
        node& home, hub::shard_index where, std::string session,
        std::shared_ptr<boost::asio::io_context> loop, on_answer answered
    );
    ~door();
    door(const door&) = delete;
    door& operator=(const door&) = delete;

    // Answered later, once; not at all when the server is about to end.
    void publish(ticket number, publication what);

private:
    class inside;
    // Shared with what was posted to the shard.
    const std::shared_ptr<inside> inside_;
};

}  // namespace pulsewire::shell::feed
