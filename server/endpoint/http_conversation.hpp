#pragma once

// The HTTP/1.1 half of a connection: one request after the other, each read whole (head, then a bounded body)
// before it is answered. Further requests wait until the answer is with the kernel.
//
// Its class has many members because it has three faces: for the connection, for the endpoints, and for
// answers that come later.

#include "common/access/principal.hpp"
#include "common/exchange/message.hpp"
#include "common/protocol/command.hpp"
#include "server/base/transfer_clock.hpp"
#include "server/config.hpp"
#include "server/endpoint/static_files.hpp"
#include "server/http/chunked.hpp"
#include "server/http/origin.hpp"
#include "server/http/request.hpp"
#include "server/http/response.hpp"
#include "server/shard/connection.hpp"
#include "server/shard/conversation.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace pulsewire::shell {

class http_conversation;
class node;
class shard;

// Answers the request of the conversation, or sees to it that it will be answered.
using request_handler = void (*)(http_conversation&);

class http_conversation final : public conversation {
public:
    // `owner`, its shard and the node outlive the conversation.
    http_conversation(connection& owner, shard& own_shard, node& own_node, request_handler handle);
    ~http_conversation() override;

    // --- for endpoints: the request being answered ---
    const request& asked() const { return *request_; }
    std::string_view body() const { return body_; }
    connection& owner() const { return owner_; }
    shard& own_shard() const { return shard_; }
    node& own_node() const { return node_; }
    const config& settings() const;
    // The origin that the answers of this request allow to read them; nothing for pages of our own.
    void allow_origin(const origin_verdict& verdict);

    // The address of the client: behind a trusted proxy, as that one says.
    const address& client() const { return client_; }
    // Who the client is. Null: unknown; for requests to the API the bearer of its key, or everybody where it
    // is open.
    const access::principal_ptr& who() const { return who_; }
    void identify(access::principal_ptr who) { who_ = std::move(who); }
    // Takes one request, or several as a penalty, out of what the client's address may send. Returns 0, or
    // the milliseconds until it may send one.
    std::int64_t charge(std::uint32_t requests = 1);
    // Counts the connection as one of a client behind a trusted proxy, because a stream is about to open;
    // others were counted when they were accepted. Whether that client may have one more.
    bool admit_stream(address_limits::outcome& why);

    // Each request is answered by exactly one of these.
    void answer(response r);
    void answer_with_file(static_file file);
    // The connection goes on as `next`, to which bytes that came behind the request are given.
    void upgrade(response head, std::unique_ptr<conversation> next);
    // The answer comes later, from the hub: `c` is carried out in the name of this request, and its answer
    // formatted.
    using format_answer = std::function<response(const hub::message&)>;
    void ask_hub(command c, format_answer format);
    // The same in several steps: the answer of `c` goes to `then`, which answers the request or calls again.
    // Until the request is answered the hub holds its session and may end it, which is answered with 503.
    using hub_answer = std::function<void(const hub::message&)>;
    void call_hub(command c, hub_answer then);
    // What works on the request, until it is answered or its connection is gone. Shared: a call of its own
    // may be under way when that happens.
    void hold(std::shared_ptr<void> work) { work_ = std::move(work); }
    // The answer may take so long, whatever http_answer_timeout_ms says; then `otherwise` gives it.
    void answer_within(std::uint32_t ms, std::function<void()> otherwise);
    // The fields that let the page read an answer which somebody else gives.
    std::vector<std::pair<std::string, std::string>> cors_fields() const;
    // The connection goes on as `next`, which reads the request's body and answers it.
    void hand_over(std::unique_ptr<conversation> next);

    // The answer comes later, from elsewhere: the ticket finds the request again, as long as it waits.
    std::uint64_t wait_for_answer();
    static http_conversation* waiting(shard& asker, std::uint64_t connection, std::uint64_t ticket);

    // --- for the connection ---
    void on_bytes(std::span<char> bytes) override;
    void on_end() override;
    void on_deadline() override;
    void on_drained() override;
    void on_overflow() override;
    void on_drain() override;
    void on_lost() override;
    void on_message(const hub::message_ptr& m, delivery::counts how) override;
    void on_close(close_code code, std::string_view reason) override;

private:
    enum class phase : std::uint8_t { head, body, answering, file, upgraded };
    bool busy() const;
    void read_on();
    void process();
    std::string_view unread() const { return std::string_view(buffer_).substr(begin_); }
    bool skip_empty_lines();
    void forget_read();
    bool take_head();
    bool take_body();
    bool take_chunks();
    void dispatch();
    void refuse(const refusal& why);
    void count(const response& r);
    void add_cors_fields(response& r) const;
    void answered(after_response then);
    void send_piece();
    void end_hub_call();
    void go_on_as(std::unique_ptr<conversation> next);
    void deadline_in(std::uint32_t ms);
    void expect_arrival(std::uint32_t stall_ms);
    after_response fate(const response& r) const;

    connection& owner_;
    shard& shard_;
    node& node_;
    request_handler handle_;
    std::string buffer_;
    std::size_t begin_ = 0;          // of buffer_: where the next request begins
    std::size_t searched_ = 0;       // of what follows, without finding the end of the head
    std::uint32_t empty_lines_ = 0;  // before the request
    std::unique_ptr<request> request_;
    std::string body_;
    std::optional<chunked_reader> chunks_;  // of the body, where it comes so
    transfer_clock arrival_;                // of the head or body that is being read
    std::string cors_origin_;
    address client_;
    access::principal_ptr who_;
    address_limits::held counted_;  // for admit_stream(), until the stream opens
    hub_answer on_hub_answer_;      // none: no answer of the hub is awaited
    std::shared_ptr<void> work_;
    std::function<void()> when_late_;  // none: answered with 503
    std::optional<static_file> file_;
    std::uint64_t ticket_ = 0;
    phase phase_ = phase::head;
    bool has_session_ = false;     // in the hub
    bool body_is_unread_ = false;  // the request is answered without, and then the connection must end
    bool half_closed_ = false;     // the peer sends nothing more
    bool idle_ = false;            // between requests
};

}  // namespace pulsewire::shell
