#include "server/endpoint/http_conversation.hpp"

#include "common/base/base64.hpp"
#include "server/endpoint/stream_request.hpp"
#include "server/http/forwarded.hpp"
#include "server/shard/node.hpp"
#include "server/shard/shard.hpp"

#include <algorithm>
#include <utility>

namespace pulsewire::shell {
namespace {

constexpr std::size_t file_piece_bytes = 64 * 1024;
// RFC 9112 2.2 wants one ignored at least, because old clients send one after a body.
constexpr std::uint32_t empty_lines_max = 4;
constexpr const char* exposed_of_streams =
    "Retry-After, ETag, Location, Stream-Next-Offset, Stream-Up-To-Date, Stream-Closed, Stream-Cursor, "
    "Stream-TTL, "
    "Stream-Expires-At, Stream-SSE-Data-Encoding, Producer-Epoch, Producer-Seq, Producer-Expected-Seq, "
    "Producer-Received-Seq";
// A connection that may not stay has so long to send its request.
constexpr std::uint32_t parting_timeout_ms = 1'000;

}  // namespace

http_conversation::http_conversation(
    connection& owner, shard& own_shard, node& own_node, request_handler handle
)
    : conversation(transport::http), owner_(owner), shard_(own_shard), node_(own_node), handle_(handle) {
    const bool stays = owner_.why_turned_away() == turned_away::no;
    expect_arrival(stays ? shard_.bounds().http_head_timeout_ms : parting_timeout_ms);
}

http_conversation::~http_conversation() = default;

const config& http_conversation::settings() const {
    return shard_.settings();
}

void http_conversation::deadline_in(std::uint32_t ms) {
    owner_.set_deadline(shard_.now().monotonic_ms + ms);
}

void http_conversation::expect_arrival(std::uint32_t stall_ms) {
    arrival_.begin(shard_.now().monotonic_ms, stall_ms, shard_.bounds().transfer_bytes_per_second_min);
    owner_.set_deadline(arrival_.deadline_ms());
}

// --- reading requests ---

void http_conversation::on_bytes(std::span<char> bytes) {
    if (idle_) expect_arrival(shard_.bounds().http_head_timeout_ms);
    idle_ = false;
    forget_read();
    buffer_.append(bytes.data(), bytes.size());
    if (phase_ == phase::head || phase_ == phase::body) {
        arrival_.moved(bytes.size(), shard_.now().monotonic_ms);
        owner_.set_deadline(arrival_.deadline_ms());
    }
    if (!busy()) process();
    read_on();
}

// Whether the next request has to wait.
bool http_conversation::busy() const {
    return phase_ == phase::answering || phase_ == phase::file || !owner_.out().empty();
}

void http_conversation::read_on() {
    if (phase_ == phase::upgraded) return;
    if (busy() && unread().size() > shard_.bounds().http_pipelined_bytes_max) {
        owner_.pause_reading();
    } else {
        owner_.resume_reading();
    }
}

// Requests that were read stay in the buffer until more bytes come or all are read, because moving the rest
// after each of many small requests would take time by the square of their number.
void http_conversation::forget_read() {
    buffer_.erase(0, begin_);
    begin_ = 0;
}

// False when there are too many of them.
bool http_conversation::skip_empty_lines() {
    while (unread().starts_with("\r\n")) {
        begin_ += 2;
        searched_ = 0;
        if (++empty_lines_ > empty_lines_max) return false;
    }
    return true;
}

// One request; the next one when its answer is written.
void http_conversation::process() {
    if (owner_.gone() || owner_.finishing()) return;
    if (phase_ == phase::head && !take_head()) return;
    if (phase_ == phase::body && take_body()) dispatch();
}

bool http_conversation::take_head() {
    const shell_limits& bounds = shard_.bounds();
    if (!skip_empty_lines()) {
        refuse({400, error_code::invalid_frame, "there are too many empty lines before the request"});
        return false;
    }
    const std::size_t size = find_head_end(unread(), searched_);
    if (size > bounds.http_head_bytes_max || (size == 0 && unread().size() > bounds.http_head_bytes_max)) {
        refuse(head_too_large(bounds));
        return false;
    }
    searched_ = unread().size();
    if (size == 0) return false;
    searched_ = 0;
    empty_lines_ = 0;
    auto read = read_request_head(unread().substr(0, size), bounds);
    if (!read) {
        refuse(read.error());
        return false;
    }
    begin_ += size;
    request_ = std::move(*read);
    (void)request_->enter(settings().base_path);
    client_ = client_of(*request_, owner_.peer(), node_.addresses()->proxies());
    // Its body is not worth the memory.
    if (owner_.why_turned_away() != turned_away::no) {
        dispatch();
        return false;
    }
    body_is_unread_ = comes_in_pieces(*request_, settings());
    if (body_is_unread_) {
        dispatch();
        return false;
    }
    // A payload of bytes may be base64; what it stands for is measured where it is read.
    const std::size_t message_bytes_max = settings().bounds.message_bytes_max;
    const bool may_be_base64 = request_->path == "/sse" || request_->path.starts_with("/api/channels/");
    const std::size_t body_bytes_max = may_be_base64 ? base64_size(message_bytes_max) : message_bytes_max;
    if (request_->content_length > body_bytes_max) {
        refuse({413, error_code::too_large, "the body is larger than message_bytes_max", "message_bytes_max"}
        );
        return false;
    }
    if (request_->chunked) chunks_.emplace(body_bytes_max, bounds.http_head_bytes_max);
    const bool body_is_here =
        request_->chunked ? !unread().empty() : unread().size() >= request_->content_length;
    if (request_->expects_continue && !body_is_here) {
        owner_.out().push_raw(std::string("HTTP/1.1 100 Continue\r\n\r\n"));
        owner_.flush_soon();
    }
    phase_ = phase::body;
    expect_arrival(bounds.http_body_timeout_ms);
    return true;
}

bool http_conversation::take_chunks() {
    std::string_view bytes = unread();
    const auto how = chunks_->take(bytes, body_);
    begin_ = buffer_.size() - bytes.size();
    if (how == chunked_reader::outcome::refused) refuse(refusal(chunks_->why()));
    return how == chunked_reader::outcome::whole;
}

bool http_conversation::take_body() {
    if (chunks_) return take_chunks();
    if (unread().size() < request_->content_length) return false;
    body_ = unread().substr(0, request_->content_length);
    begin_ += request_->content_length;
    return true;
}

void http_conversation::dispatch() {
    phase_ = phase::answering;
    deadline_in(shard_.bounds().http_answer_timeout_ms);
    chunks_.reset();
    ++ticket_;
    cors_origin_.clear();
    who_.reset();
    handle_(*this);
}

std::int64_t http_conversation::charge(std::uint32_t requests) {
    return node_.addresses()->request(client_, shard_.now().monotonic_ms, requests);
}

bool http_conversation::admit_stream(address_limits::outcome& why) {
    if (client_ == owner_.peer()) return true;
    why = node_.addresses()->connect(client_, shard_.now().monotonic_ms, counted_);
    return why == address_limits::outcome::admitted;
}

// --- answering ---

void http_conversation::allow_origin(const origin_verdict& verdict) {
    cors_origin_ = verdict.cross_origin;
}

after_response http_conversation::fate(const response& r) const {
    const bool stays = owner_.why_turned_away() == turned_away::no;
    const bool kept = request_ && request_->keep_alive && !r.closes && !r.streams && !body_is_unread_ &&
                      !shard_.draining() && stays;
    return kept ? after_response::keep_alive : after_response::close;
}

void http_conversation::count(const response& r) {
    ++shard_.metrics().responses[static_cast<std::size_t>(std::clamp(r.status / 100, 0, 5))];
}

void http_conversation::add_cors_fields(response& r) const {
    if (cors_origin_.empty()) return;
    std::erase_if(r.fields, [](const auto& f) { return f.first == "Access-Control-Allow-Origin"; });
    r.add("Access-Control-Allow-Origin", cors_origin_);
    if (settings().allow_credentials) r.add("Access-Control-Allow-Credentials", "true");
    const bool about_stream = request_ && request_->path.starts_with(streams_path);
    r.add("Access-Control-Expose-Headers", about_stream ? exposed_of_streams : "Retry-After");
    r.add("Vary", "Origin");
}

std::vector<std::pair<std::string, std::string>> http_conversation::cors_fields() const {
    response r;
    add_cors_fields(r);
    return std::move(r.fields);
}

void http_conversation::answer(response r) {
    end_hub_call();
    counted_ = {};
    count(r);
    add_cors_fields(r);
    const after_response then = fate(r);
    std::string text = head_of(r, then);
    if (request_ == nullptr || request_->verb != method::head) text += r.body;
    owner_.out().push_raw(std::move(text));
    answered(then);
}

void http_conversation::answered(after_response then) {
    request_.reset();
    body_.clear();
    work_.reset();
    when_late_ = nullptr;
    phase_ = phase::head;
    searched_ = 0;
    if (then == after_response::close) return owner_.finish(connection::farewell::linger);
    if (unread().empty()) forget_read();
    idle_ = buffer_.empty();
    if (idle_) {
        deadline_in(shard_.bounds().http_idle_timeout_ms);
    } else {
        expect_arrival(shard_.bounds().http_head_timeout_ms);
    }
    owner_.flush_soon();
}

void http_conversation::refuse(const refusal& why) {
    const std::string advice = why.setting.empty() ? "" : "; the setting is " + std::string(why.setting);
    shard_.log_refusal(request_ ? client_ : owner_.peer(), "a request: " + why.message + advice);
    request_.reset();
    chunks_.reset();
    buffer_.clear();
    begin_ = 0;
    answer(error_response(why));
}

void http_conversation::answer_with_file(static_file file) {
    if (file.left == 0) return answer(std::move(file.head));
    count(file.head);
    phase_ = phase::file;
    owner_.set_deadline(0);  // the write deadline watches over the rest
    owner_.out().push_raw(head_of(file.head, fate(file.head)));
    file_.emplace(std::move(file));
    send_piece();
}

void http_conversation::send_piece() {
    std::string piece;
    // Its length is told already; a file that shrank can only be cut.
    if (!file_->read_piece(piece, file_piece_bytes)) return owner_.drop();
    owner_.out().push_raw(std::move(piece));
    if (file_->left > 0) return owner_.flush_soon();
    const after_response then = fate(file_->head);
    file_.reset();
    answered(then);
}

void http_conversation::upgrade(response head, std::unique_ptr<conversation> next) {
    count(head);
    add_cors_fields(head);
    owner_.out().push_raw(head_of(head, fate(head)));
    owner_.flush_soon();
    go_on_as(std::move(next));
}

void http_conversation::hand_over(std::unique_ptr<conversation> next) {
    go_on_as(std::move(next));
}

void http_conversation::go_on_as(std::unique_ptr<conversation> next) {
    owner_.set_deadline(0);
    phase_ = phase::upgraded;
    work_.reset();
    owner_.resume_reading();
    if (client_ != owner_.peer()) owner_.count_as(std::move(counted_));
    owner_.owner() = {client_, who_ != nullptr ? who_->user : std::string()};
    owner_.speaks_for(node_.addresses()->source_of(client_, owner_.counted()));
    conversation& heir = *next;
    owner_.become(std::move(next));
    heir.on_begin();
    forget_read();
    if (!buffer_.empty() && !owner_.gone()) heir.on_bytes(buffer_);
    if (half_closed_ && !owner_.gone()) heir.on_end();
}

// --- answers that come later ---

void http_conversation::ask_hub(command c, format_answer format) {
    call_hub(std::move(c), [this, format = std::move(format)](const hub::message& m) {
        response made = format(m);
        shard_.charge_answer(client_, made.body.size());
        answer(std::move(made));
    });
}

void http_conversation::call_hub(command c, hub_answer then) {
    if (!shard_.mail_has_room())
        return answer(
            error_response(503, error_code::overloaded, "the server does not keep up; try again later")
        );
    c.id = ticket_;
    on_hub_answer_ = std::move(then);
    shard_.tell_hub([&](hub::hub& h, hub::instant now) {
        if (!std::exchange(has_session_, true)) h.open(owner_.id(), hub::face::api, {}, "api", now, 0, who_);
        h.execute(owner_.id(), c, now);
    });
}

void http_conversation::end_hub_call() {
    on_hub_answer_ = nullptr;
    if (!std::exchange(has_session_, false)) return;
    shard_.tell_hub([&](hub::hub& h, hub::instant now) { h.closed(owner_.id(), now); });
}

void http_conversation::on_message(const hub::message_ptr& m, delivery::counts) {
    if (!on_hub_answer_ || m->id != ticket_) return;  // the late answer of an earlier request
    std::exchange(on_hub_answer_, nullptr)(*m);
}

void http_conversation::answer_within(std::uint32_t ms, std::function<void()> otherwise) {
    when_late_ = std::move(otherwise);
    deadline_in(ms);
}

std::uint64_t http_conversation::wait_for_answer() {
    return ticket_;
}

http_conversation* http_conversation::waiting(
    shard& asker, std::uint64_t connection_id, std::uint64_t ticket
) {
    connection* c = asker.find(connection_id);
    if (c == nullptr || c->current_conversation().kind() != transport::http) return nullptr;
    auto& found = static_cast<http_conversation&>(c->current_conversation());
    return found.phase_ == phase::answering && found.ticket_ == ticket ? &found : nullptr;
}

// --- the connection's ends ---

void http_conversation::on_drained() {
    if (file_) return send_piece();
    if (!busy() && !unread().empty()) process();
    if (owner_.gone() || owner_.finishing() || phase_ == phase::upgraded) return;
    if (half_closed_) {
        if (!busy()) owner_.finish(connection::farewell::close);
        return;
    }
    read_on();
}

void http_conversation::on_end() {
    half_closed_ = true;
    if (!busy()) owner_.drop();
}

void http_conversation::on_deadline() {
    switch (phase_) {
        case phase::head:
            if (owner_.why_turned_away() != turned_away::no) {
                owner_.out().push_raw(std::string(owner_.parting_answer()));
                return owner_.finish(connection::farewell::linger);
            }
            if (unread().empty()) return owner_.finish(connection::farewell::close);
            return refuse(
                {408, error_code::timeout, "the head of the request did not arrive in time",
                 "http_head_timeout_ms"}
            );
        case phase::body:
            return refuse(
                {408, error_code::timeout, "the body of the request did not arrive in time",
                 "http_body_timeout_ms"}
            );
        case phase::answering: {
            if (when_late_) return std::exchange(when_late_, nullptr)();
            response late =
                error_response(503, error_code::overloaded, "the answer took too long; try again later");
            late.closes = true;
            return answer(std::move(late));
        }
        case phase::file:
        case phase::upgraded:
            return;
    }
}

// Answers are made one at a time, so only a single one can be larger than the bound; its reader is too slow.
void http_conversation::on_overflow() {
    owner_.drop();
}

void http_conversation::on_drain() {
    if (phase_ == phase::head && unread().empty() && owner_.out().empty())
        owner_.finish(connection::farewell::close);
}

void http_conversation::on_lost() {
    end_hub_call();
}

// The hub ended the request: it goes down, or the request was too much for it.
void http_conversation::on_close(close_code, std::string_view) {
    if (!std::exchange(has_session_, false)) return;
    on_hub_answer_ = nullptr;
    answer(error_response(503, error_code::overloaded, "the server cannot answer now; try again later"));
}

}  // namespace pulsewire::shell
