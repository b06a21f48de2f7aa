#pragma once

// Reads a Redis stream for a feed, over two connections to one server, one of which waits for new entries.
//
// The group has one consumer of one name, so that what was not acknowledged is in one list and comes again in
// its order. Who reads as this consumer is decided by a lease: a key of the server that expires, renewed
// every second.

#include "server/broker/redis/connection.hpp"
#include "server/broker/redis/master_search.hpp"
#include "server/config.hpp"
#include "server/feed/reading.hpp"

#include <boost/asio/steady_timer.hpp>

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace pulsewire::shell::feed {

class redis_reading final : public reading {
public:
    // All outlive it.
    redis_reading(const redis::dialer& from, const consume_settings& of, ticket& last, listener heard);
    ~redis_reading() override;

    void set_room(std::size_t records) override;
    void acknowledge(ticket number) override;
    void bury(const record& bad, const std::string& reason) override;
    void release(std::function<void()> done) override;

private:
    void connect(const endpoint& to);
    void on_ready();
    void make_group();
    void take_lease();
    void renew_lease();
    void begin();
    void read();
    void on_entries(redis::reply_view answer);
    void give(redis::reply_view entry);
    void after(std::chrono::milliseconds delay, std::function<void()> then);
    void lose(std::string reason);

    const redis::dialer& from_;
    const consume_settings& of_;
    ticket& last_;
    listener heard_;
    const std::string lease_;       // its key
    const std::string lease_name_;  // who has it: another one for each reading
    std::unique_ptr<redis::master_search> search_;
    std::shared_ptr<redis::connection> commanding_;
    std::shared_ptr<redis::connection> waiting_;
    int ready_ = 0;
    boost::asio::steady_timer timer_;
    std::map<ticket, std::string> ids_;  // of the entries that were given and not acknowledged
    std::size_t room_ = 0;
    std::string pending_after_ = "0";  // empty: what was left unacknowledged was given
    bool is_reading_ = false;          // has the lease
    bool asks_ = false;                // an answer with entries is awaited
    bool is_lost_ = false;
    // Ends with the object: a timer that has expired calls even when it was destroyed since.
    const std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
};

}  // namespace pulsewire::shell::feed
