#include "server/shard/shard.hpp"

#include "common/hub/message_text.hpp"
#include "server/endpoint/http_conversation.hpp"
#include "server/http/response.hpp"
#include "server/log.hpp"
#include "server/random.hpp"
#include "server/shard/node.hpp"

#include <boost/asio/post.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <exception>
#include <functional>
#include <iterator>
#include <utility>

namespace pulsewire::shell {
namespace {

namespace asio = boost::asio;

constexpr std::size_t scratch_bytes = 64 * 1024;
// Connections that get one message: from here on its line is joined once for all of them.
constexpr std::size_t many = 8;
constexpr auto sweep_interval = std::chrono::milliseconds(500);
constexpr std::int64_t tick_interval_ms = 1'000;
constexpr std::int64_t cuts_report_interval_ms = 10'000;
// What the last client that is sent away has for opening its next connection.
constexpr auto handover_grace = std::chrono::milliseconds(2'000);

std::int64_t milliseconds_of(auto time_point) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(time_point.time_since_epoch()).count();
}

std::string overloaded_answer(std::string_view message) {
    response answer = error_response(503, error_code::overloaded, message);
    answer.add("Retry-After", "5");
    return last_words(answer);
}

}  // namespace

shard::shard(node& home, hub::shard_index index, hub::config hub_config)
    : home_(home),
      index_(index),
      poller_(
          loop_,
          [this](std::uint64_t id, poller::readiness what) {
              guarded(id, [&](connection& c) { c.on_ready(what); });
          }
      ),
      sweep_timer_(loop_),
      handover_timer_(loop_),
      hub_(std::move(hub_config)),
      storage_(home.settings().shell),
      batches_(home.shard_count() + 1u),
      scratch_(scratch_bytes),
      fan_out_(home.settings().shell) {
    storage_.memory().set_max(home.waiting_bytes_max());
}

shard::~shard() = default;

void shard::listen(tcp_acceptor&& acceptor) {
    listener_.emplace(*this, std::move(acceptor));
    asio::post(loop_, [this] { listener_->start(); });
}

void shard::use_tls(std::shared_ptr<const tls_context> context) {
    tls_ = std::move(context);
    plaintext_.resize(scratch_bytes + tls_session::record_bytes_max);
}

hub::instant shard::now() const {
    return {
        milliseconds_of(std::chrono::steady_clock::now()), milliseconds_of(std::chrono::system_clock::now())};
}

const shell_limits& shard::bounds() const {
    return home_.settings().shell;
}

// --- running ---

// An exception that reaches this place belongs to no connection; the loop goes on with the next handler.
void shard::run() {
    schedule_sweep();
    const auto forever = asio::make_work_guard(loop_);
    while (true) {
        try {
            loop_.run();
            return;
        } catch (const std::exception& e) {
            ++metrics_.exceptions;
            log::error("shard ", index_, ": ", e.what());
        }
    }
}

// What goes wrong inside `call` ends at most the connection.
template <class Call>
void shard::guarded(std::uint64_t id, Call&& call) noexcept {
    connection* c = find(id);
    if (c == nullptr) return;
    try {
        try {
            call(*c);
        } catch (const std::exception& e) {
            ++metrics_.exceptions;
            log::error("a connection ended by an exception: ", e.what());
            if (connection* still = find(id)) still->drop();
        }
    } catch (...) {
        // Even ending it failed, for example without memory; the sweep will try again.
        ++metrics_.exceptions;
    }
}

void shard::schedule_sweep() {
    sweep_timer_.expires_after(sweep_interval);
    sweep_timer_.async_wait([this](const boost::system::error_code& error) {
        if (error) return;
        schedule_sweep();
        sweep();
    });
}

void shard::sweep() {
    const std::int64_t now_ms = now().monotonic_ms;
    connections_.for_each([&](connection& c) {
        guarded(c.id(), [&](connection& same) { same.sweep(now_ms); });
    });
    if (now_ms >= next_tick_ms_) {
        next_tick_ms_ = now_ms + tick_interval_ms;
        tell_hub([](hub::hub& h, hub::instant at) { h.tick(at); });
        report_cuts();
    }
}

// --- connections ---

void shard::accepted(tcp_socket&& socket) {
    if (!home_.admit_connection()) return refuse(std::move(socket));
    const int on = 1;  // a socket that cannot be set up fails at its first read
    (void)::setsockopt(socket.descriptor(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    auto made = std::make_unique<connection>(*this, connections_.next_id(), std::move(socket));
    connection& c = connections_.add(std::move(made));
    guarded(c.id(), [this](connection& same) {
        same.start(std::make_unique<http_conversation>(same), tls_.get());
    });
}

void shard::refuse(tcp_socket&& socket) {
    static const std::string answer = overloaded_answer("the server has no room for more connections");
    ++metrics_.refused;
    if (tls_ != nullptr) return;  // a handshake would cost more than the words are worth
    // Best effort: what does not fit is lost, and a request that is on its way may turn the end into a reset.
    (void)::send(socket.descriptor(), answer.data(), answer.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    char discarded[1024];
    (void)::recv(socket.descriptor(), discarded, sizeof discarded, MSG_DONTWAIT);
    (void)::shutdown(socket.descriptor(), SHUT_WR);
}

void shard::flush_at_turn_end(connection& c) {
    if (c.dirty) return;
    c.dirty = true;
    dirty_.push_back(c.id());
    schedule_turn_end();
}

void shard::read_on_at_turn_end(connection& c) {
    reading_on_.push_back(c.id());
    schedule_turn_end();
}

void shard::retire(connection& c) {
    // Its memory is still in use by the call that ends it.
    retired_.push_back(connections_.remove(c.id()));
    home_.release_connection();
    schedule_turn_end();
}

// --- the hub ---

void shard::receive(std::vector<hub::shard_message>&& batch) {
    for (hub::shard_message& m : batch) {
        hub_.receive(std::move(m), now());
        carry_out();
    }
}

// What the hub says may make a conversation speak to the hub again; the outermost call carries that out too.
void shard::carry_out() {
    if (carrying_out_) return;
    carrying_out_ = true;
    const auto finally = std::unique_ptr<shard, void (*)(shard*)>(this, [](shard* s) {
        s->work_.clear();
        s->carrying_out_ = false;
    });
    while (!hub_.out().empty()) {
        work_.swap(hub_.out());
        for (const hub::output::send& s : work_.sends) deliver(s, work_.to(s));
        for (const hub::output::close& end : work_.closes) {
            catch_up(end.connection);
            guarded(end.connection, [&](connection& c) { c.speaks().on_close(end.code, end.reason); });
        }
        for (hub::output::post& p : work_.posts) post(std::move(p));
        if (!work_.stores.empty()) {
            std::move(work_.stores.begin(), work_.stores.end(), std::back_inserter(stores_));
            schedule_turn_end();
        }
        work_.clear();
    }
}

void shard::deliver(const hub::output::send& s, std::span<const std::uint64_t> to) {
    const hub::message_ptr& m = s.what;
    if (m->kind == hub::message_kind::publication && !s.replayed && oldest_publication_ms_ == 0)
        oldest_publication_ms_ = m->time_ms;
    if (m->kind == hub::message_kind::error)
        ++metrics_.errors[static_cast<std::size_t>(m->code) % metrics_.errors.size()];
    if (!is_worth_joining(s)) {
        if (s.audience != 0) fan_out_.forget(m->channel());
        for (const std::uint64_t id : to) catch_up(id);
        return give(s, to);
    }
    if (const auto* apart = fan_out_.extend(m, s.audience)) return give(s, *apart);
    while (const auto next = fan_out_.next()) visit(*next, false);
    fan_out_.begin(m, s.audience, to);
    schedule_turn_end();
}

bool shard::is_worth_joining(const hub::output::send& s) const {
    if (s.replayed) return false;
    if (s.audience != 0 && s.count >= many) return true;
    // What is compressed is made once even for a few.
    return bounds().websocket_compression && s.what->line.size() >= bounds().compression_bytes_min;
}

void shard::give(const hub::output::send& s, std::span<const std::uint64_t> to) {
    const auto how = s.replayed ? outbound::counts::as_replay : outbound::counts::as_live;
    for (const std::uint64_t id : to) guarded(id, [&](connection& c) { c.speaks().on_message(s.what, how); });
}

// What was gathered for the connection before goes before what it is sent now.
void shard::catch_up(std::uint64_t id) {
    if (const auto waits = fan_out_.take(id)) visit(*waits, false);
}

// What was gathered is given to one connection, which writes it at once or at the end of the turn.
void shard::visit(const fan_out::visit& v, bool writes) {
    guarded(v.connection, [&](connection& c) {
        if (auto run = c.speaks().run_of(*v.what)) return c.send(std::move(run), writes);
        // It may grow meanwhile, by what somebody too slow makes the hub say.
        for (std::size_t i = 0; i < v.what->messages().size(); ++i)
            c.speaks().on_message(v.what->messages()[i], outbound::counts::as_live);
        fan_out_.stands_apart(v);
    });
}

void shard::post(hub::output::post&& p) {
    if (p.to == hub::application && application_is_full(p.what)) return;
    const std::size_t batch = p.to == hub::application ? batches_.size() - 1 : p.to;
    batches_[batch].push_back(std::move(p.what));
    schedule_turn_end();
}

// Whether the message must not be passed on; then its sender is told.
bool shard::application_is_full(const hub::shard_message& m) {
    static constexpr std::string_view text =
        "the application does not keep up with its messages; try again later";
    const auto* publish = std::get_if<hub::client_publish>(&m);
    const auto* request = std::get_if<hub::client_request>(&m);
    if ((publish == nullptr && request == nullptr) || home_.admit_to_application()) return false;
    hub::reply answer;
    if (publish != nullptr) {
        if (publish->what.id == 0) return true;
        answer.to = publish->what.from;
        answer.what = hub::make_error(publish->what.id, error_code::overloaded, text);
    } else {
        answer.to = request->from;
        answer.what = hub::make_error(request->id, error_code::overloaded, text);
        answer.ends_request = request->id;
    }
    hub_.receive(std::move(answer), now());
    return true;
}

// --- the turn ---

void shard::schedule_turn_end() {
    if (turn_end_scheduled_) return;
    turn_end_scheduled_ = true;
    asio::post(loop_, [this] { end_turn(); });
}

void shard::end_turn() {
    read_on_connections();
    turn_end_scheduled_ = false;
    post_stores();
    post_batches();
    write_gathered();
    flush_connections();
    if (storage_.memory().is_too_much()) cut_slowest();
    // What connections that ended just now made the hub say is written in the next turn.
    while (const auto next = fan_out_.next()) visit(*next, false);
    retired_.clear();
    fan_out_.clear();
    plain_from_.reset();
    plain_text_.reset();
    report_if_quiet();
    report_if_drained();
}

// Before anything is written, so that their answers leave in this turn. Each of them once a turn: who asks for
// much takes turns with the others.
void shard::read_on_connections() {
    for (const std::uint64_t id : std::exchange(reading_on_, {}))
        guarded(id, [](connection& c) { c.read_on(); });
}

// All slow readers together make too much wait: those with the most go first.
void shard::cut_slowest() {
    std::vector<std::pair<std::size_t, std::uint64_t>> slow;
    connections_.for_each([&](connection& c) {
        if (const std::size_t bytes = c.waiting_memory(); bytes > 0) slow.emplace_back(bytes, c.id());
    });
    std::sort(slow.begin(), slow.end(), std::greater<>());
    for (const auto& [bytes, id] : slow) {
        if (!storage_.memory().is_too_much()) break;
        ++metrics_.waiting_cuts;
        guarded(id, [](connection& c) { c.cut(); });
    }
    report_cuts();
}

// At most once in a while, whatever comes.
void shard::report_cuts() {
    const std::int64_t now_ms = now().monotonic_ms;
    if (metrics_.waiting_cuts == cuts_reported_) return;
    if (cuts_reported_ms_ != 0 && now_ms - cuts_reported_ms_ < cuts_report_interval_ms) return;
    log::warning(
        "shard ", index_, ": more than ", home_.waiting_bytes_max(),
        " bytes waited for slow readers, so the slowest were closed with 4000: ",
        metrics_.waiting_cuts - cuts_reported_, " since this was said last (waiting_bytes_total_max)"
    );
    cuts_reported_ms_ = now_ms;
    cuts_reported_ = metrics_.waiting_cuts;
}

// Between two publications the processor forgets the connections: what the visits after next will touch is
// fetched while the kernel takes what is written.
void shard::write_gathered() {
    while (const auto next = fan_out_.next()) {
        if (const connection* later = find(fan_out_.upcoming(4))) later->prefetch();
        if (const connection* soon = find(fan_out_.upcoming(2))) soon->prefetch_conversation();
        visit(*next, true);
    }
}

void shard::post_batches() {
    for (std::size_t to = 0; to < batches_.size(); ++to) {
        if (batches_[to].empty()) continue;
        const bool to_application = to + 1 == batches_.size();
        home_.post(
            to_application ? hub::application : static_cast<hub::shard_index>(to),
            std::exchange(batches_[to], {})
        );
    }
}

void shard::post_stores() {
    if (!stores_.empty()) home_.storage()->post(index_, std::exchange(stores_, {}));
}

void shard::flush_connections() {
    std::swap(dirty_, flushing_);
    for (const std::uint64_t id : flushing_) guarded(id, [](connection& c) { c.flush(); });
    flushing_.clear();
    if (oldest_publication_ms_ == 0) return;
    const std::int64_t waited_ms = std::max<std::int64_t>(0, now().wall_ms - oldest_publication_ms_);
    metrics_.delivery.observe(static_cast<double>(waited_ms) / 1'000);
    oldest_publication_ms_ = 0;
}

// --- streams ---

std::string shard::register_stream(std::uint64_t connection) {
    std::string secret = std::to_string(index_) + "." + random_secret();
    streams_.emplace(secret, connection);
    return secret;
}

void shard::forget_stream(std::string_view secret) {
    streams_.erase(std::string(secret));
}

std::optional<std::uint64_t> shard::find_stream(std::string_view secret) const {
    const auto found = streams_.find(std::string(secret));
    if (found == streams_.end()) return std::nullopt;
    return found->second;
}

std::optional<hub::shard_index> shard::shard_of_stream(std::string_view secret) {
    hub::shard_index index = 0;
    const auto [end, error] = std::from_chars(secret.data(), secret.data() + secret.size(), index);
    if (error != std::errc() || end == secret.data() + secret.size() || *end != '.') return std::nullopt;
    return index;
}

shared_bytes shard::plain_text(const hub::message_ptr& m, std::string (*text_of)(std::string_view payload)) {
    struct text_and_message {
        std::string text;
        hub::message_ptr of;
    };
    if (plain_from_ != m) {
        const auto made = std::make_shared<const text_and_message>(text_of(m->payload()), m);
        plain_text_ = shared_bytes(made, &made->text);
        plain_from_ = m;
    }
    return plain_text_;
}

// --- the end ---

void shard::begin_drain() {
    if (draining_) return;
    draining_ = true;
    if (listener_) listener_->stop();
    schedule_turn_end();
    if (!bounds().drain_handover) return end_connections();
    tell_hub([this](hub::hub& h, hub::instant at) {
        h.hand_over(close_code::service_restart, bounds().drain_spread_ms, at);
    });
    end_idle_http();
    handover_timer_.expires_after(std::chrono::milliseconds(bounds().drain_spread_ms) + handover_grace);
    handover_timer_.async_wait([this](const boost::system::error_code& error) {
        if (!error) end_connections();
    });
}

void shard::end_connections() {
    tell_hub([this](hub::hub& h, hub::instant at) {
        h.drain(close_code::service_restart, bounds().drain_spread_ms, at);
    });
    end_idle_http();
    schedule_turn_end();
}

void shard::end_idle_http() {
    connections_.for_each([&](connection& c) {
        guarded(c.id(), [](connection& same) { same.speaks().on_drain(); });
    });
}

void shard::report_if_quiet() {
    if (!draining_ || quiet_ || hub_.session_count() > 0) return;
    quiet_ = true;
    home_.shard_quiet();
}

void shard::report_if_drained() {
    if (!draining_ || drained_ || connections_.size() > 0) return;
    drained_ = true;
    home_.shard_drained();
}

shard_metrics shard::metrics_copy() const {
    shard_metrics copy = metrics_;
    copy.publication_drops = storage_.drops();
    copy.waiting_bytes = storage_.memory().bytes();
    copy.hub = hub_.count();
    copy.sessions = hub_.session_count();
    copy.subscriptions = hub_.subscription_count();
    copy.channels = hub_.channel_count();
    copy.history_bytes = hub_.history_bytes();
    return copy;
}

}  // namespace pulsewire::shell
