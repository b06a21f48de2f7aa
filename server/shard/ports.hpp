#pragma once

// What a shard needs of its surroundings, without knowing them: the node that it is a part of, the program's
// handlers, and the conversation that begins on a new connection.

#include "common/access/principal.hpp"
#include "common/cluster/broker_port.hpp"
#include "common/cluster/log_partition.hpp"
#include "common/exchange/output.hpp"
#include "common/exchange/shard_message.hpp"
#include "common/exchange/store.hpp"
#include "common/exchange/to_observer.hpp"
#include "server/config.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pulsewire::shell {

class address_limits;
class connection;
class conversation;
class mail_load;
class node;
class shard;

// The words of programs at authorize_url, since the start. Any thread may read them.
struct authorization_counters {
    std::atomic<std::uint64_t> allowed{0}, refused{0};
    std::atomic<std::uint64_t> remembered{0};    // of these, without asking again
    std::atomic<std::uint64_t> failed{0};        // no word in time, or none that can be read
    std::atomic<std::uint64_t> microseconds{0};  // spent in asking
    std::atomic<std::uint32_t> waiting{0};       // commands that wait for a word now
};

// An observer of what clients do, as the shards see it: the program's handlers are one. All members may be
// called from any thread.
class observer_port {
public:
    virtual ~observer_port() = default;
    // The values arrive in this order, after those posted earlier by the same shard.
    virtual void post(std::vector<hub::to_observer>&& batch) = 0;
    // Whether one more publish or request may be posted; the port forgets it when it is handled.
    virtual bool admit() = 0;
    // What it wants to hear; asked once, at the start.
    virtual hub::interests wants() const = 0;
    // Null: it asks no program.
    virtual const authorization_counters* authorizations() const { return nullptr; }
};

// Answers, complete with their heads, where no conversation can give one.
struct canned_answers {
    std::string overloaded;     // no room for more connections
    std::string wrong_scheme;   // plain HTTP on a port that speaks TLS
    std::string too_many = {};  // one address has too many connections, or opens them too quickly
};

// The outcome of lines that were posted to an event stream (protocol 8.2).
enum class post_outcome : std::uint8_t {
    taken,       // they are carried out
    gone,        // the stream ended before
    too_many,    // others wait already: the client sends one at a time
    unreachable  // another node has the stream, and the log does not lead there now
};
using post_done = std::function<void(post_outcome)>;

// How a node meets its clients.
struct welcome {
    // What speaks on a connection that was just accepted. Called on the shard's thread; all three outlive the
    // conversation.
    std::unique_ptr<conversation> (*first_conversation)(connection& owner, shard& home, node& all);
    canned_answers canned;
    // Gives lines to a stream of this node; `done` is called once, on any shard's thread.
    void (*give_to_stream)(node& all, const std::string& name, std::string lines, post_done done);
};

// The node, as its shards see it. All members may be called from any thread.
class node_port {
public:
    virtual const config& settings() const = 0;
    virtual hub::shard_index shard_count() const = 0;
    // In the order of hub::config::observers.
    virtual std::span<observer_port* const> observers() const = 0;
    virtual const canned_answers& canned() const = 0;
    virtual std::unique_ptr<conversation> first_conversation(connection& owner, shard& home) = 0;

    // One shard's part of waiting_bytes_total_max.
    virtual std::uint64_t waiting_bytes_max() const = 0;

    // The load of what the shards posted to each other and did not receive yet.
    virtual const mail_load& mail() const = 0;
    // Posts to another shard. Posts of one shard to one target keep their order.
    virtual void post(hub::shard_index to, std::vector<hub::shard_message>&& batch) = 0;
    // Posts of so many bytes, as mail_load counts them, were received.
    virtual void received(std::uint64_t) {}
    // Gives operations to the commit thread, which answers shard `from`. Precondition: there is a data
    // folder.
    virtual void store(hub::shard_index from, std::vector<hub::store_op>&& operations) = 0;

    // Gives the broker what the partitions of a shard ask. Precondition: there is a broker.
    virtual void to_broker(std::vector<cluster::to_broker>&&) {}
    // So many bytes of the broker's reports were received.
    virtual void received_from_broker(std::uint64_t) {}
    // Another node's order for this one.
    virtual void obey(cluster::order&&) {}
    // The name of this node's process in the log by which nodes speak to each other; 0: there is none.
    virtual std::uint64_t process() const { return 0; }
    virtual void name_process(std::uint64_t) {}
    // The partitions of one more shard serve, for the first time; or some can never.
    virtual void log_begins() {}
    virtual void log_stands_back() {}
    // Another node's lines for a stream of this one.
    virtual void take_post(cluster::log_output::stream_post&&) {}

    // What a token proves by what is known now; nothing while its issuer is asked for its keys. `refused`
    // says why it proves nothing.
    virtual std::optional<access::verdict> verify(std::string_view, std::string& /*refused*/) {
        return access::verdict{};
    }

    // Counts connections of all shards against connections_max.
    virtual bool admit_connection() = 0;
    virtual void release_connection() = 0;
    // A few more are let in to be told why they must go.
    virtual bool admit_spare_connection() { return false; }
    // Null where no address has a limit.
    virtual address_limits* addresses() { return nullptr; }
    // One line of the audit log, without its end; nothing where there is none.
    virtual void audit(std::string_view) {}
    // A shard that drains has no session any more, and later no connection. Each is called once.
    virtual void shard_quiet() = 0;
    virtual void shard_drained() = 0;

protected:
    ~node_port() = default;
};

}  // namespace pulsewire::shell
