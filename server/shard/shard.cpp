#include "server/shard/shard.hpp"

#include "server/net/peer.hpp"
#include "server/net/writer.hpp"
#include "server/shard/broker_mail.hpp"
#include "server/shard/conversation.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <iterator>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

namespace pulsewire::shell {
namespace {

namespace asio = boost::asio;

constexpr auto sweep_interval = std::chrono::milliseconds(500);
constexpr std::int64_t tick_interval_ms = 1'000;
constexpr auto log_tick_interval = std::chrono::milliseconds(100);
// Of all addresses together, on each loop.
constexpr std::uint32_t audited_per_second = 100;
// Apart from other refusals, so that neither hides the others.
constexpr std::uint32_t denials_logged_per_second = 5;

std::string_view name_of(command_op op) {
    switch (op) {
        case command_op::subscribe:
            return "subscribe";
        case command_op::publish:
            return "publish";
        case command_op::request:
            return "request";
        case command_op::history:
            return "history";
        case command_op::presence:
            return "presence";
        default:
            return "command";  // no other is about a channel
    }
}

}  // namespace

shard::shard(node_port& all, hub::shard_index index, hub::config hub_config)
    : shard_port(index, all.settings().shell, all.canned(), all.mail()),
      all_(all),
      sweep_timer_(loop()),
      log_timer_(loop()),
      desk_(hub_, programs_),
      connections_(metrics().exceptions),
      deliveries_(connections_, programs_, *this),
      slow_readers_(connections_, *this, all.waiting_bytes_max()),
      posts_(all, index),
      hub_(std::move(hub_config), deliveries_, posts_, observer_gate(all.observers()), *this),
      drain_(connections_, hub_, all, *this),
      streams_(index),
      audited_(audited_per_second),
      denials_(denials_logged_per_second),
      settings_(std::make_shared<const config>(all.settings())) {}

shard::~shard() = default;

void shard::listen(tcp_acceptor&& acceptor) {
    listener_.emplace(*this, std::move(acceptor));
    asio::post(loop(), [this] { listener_->start(); });
}

void shard::use_tls(std::shared_ptr<const tls_context> context) {
    tls_ = std::move(context);
    make_plaintext_scratch();
}

void shard::use_settings(std::shared_ptr<const config> settings, std::uint64_t waiting_bytes_max) {
    settings_ = std::move(settings);
    slow_readers_.set_max(waiting_bytes_max);
    // Where the bound of the mail is another one, nobody else wakes those who wait.
    read_on();
}

void shard::use_types(const types_by_setting& fresh) {
    for (auto& [setting, mine] : types_) *mine = fresh.at(setting);
}

// An exception that reaches this place belongs to no connection; the loop goes on with the next handler.
void shard::run() {
    schedule_sweep();
    if (hub_.shared() != nullptr) schedule_log_tick();
    const auto forever = asio::make_work_guard(loop());
    while (true) {
        try {
            loop().run();
            return;
        } catch (const std::exception& e) {
            ++metrics().exceptions;
            log::error("shard ", index(), ": ", e.what());
        }
    }
}

void shard::on_ready(std::uint64_t id, poller::readiness what) {
    connections_.guarded(id, [&](connection& c) { c.on_ready(what); });
}

// Before a byte is read, so that connections that say nothing count, too.
bool shard::admit_address(const address& peer, address_limits::held& into) {
    address_limits* limits = all_.addresses();
    if (limits == nullptr) return true;
    const auto outcome = limits->connect(peer, now().monotonic_ms, into);
    if (outcome == address_limits::outcome::admitted) return true;
    const bool too_many = outcome == address_limits::outcome::too_many_connections;
    refusal_note n;
    n.why = too_many ? refused_for::connections : refused_for::connects;
    n.setting = too_many ? "connections_per_address_max" : "connects_per_address_per_second";
    n.sentence =
        too_many ? "its address has too many connections" : "its address opens connections too quickly";
    note_refusal(peer, n);
    return false;
}

void shard::note_refusal(const address& client, const refusal_note& n) {
    ++metrics().turned_away[static_cast<std::size_t>(n.why)];
    log::fields facts = {{"reason", refusal_names[static_cast<std::size_t>(n.why)]}};
    const auto add = [&facts](std::string_view name, std::string_view value) {
        if (!value.empty()) facts.push_back({name, value});
    };
    add("setting", n.setting);
    add("method", n.method);
    add("path", n.path);
    add("named", n.named);
    log_refusal(
        client,
        std::string(n.sentence) + (n.setting.empty() ? "" : "; the setting is ") + std::string(n.setting),
        std::move(facts)
    );
    audit_entry e;
    e.event = "refused";
    e.reason = refusal_names[static_cast<std::size_t>(n.why)];
    e.method = n.method;
    e.path = n.path;
    e.named = n.named;
    e.setting = n.setting;
    audit(client, e);
}

void shard::note_denial(const hub::output::denial& d) {
    const connection* c = connections_.find(d.connection);
    const address from = c == nullptr ? address() : c->peer();
    const std::string_view user = d.user.empty() ? std::string_view("somebody unknown") : d.user;
    if (log::enabled(log::level::info) && denials_.admits(now().monotonic_ms)) {
        const std::uint64_t others = denials_.take_left_out();
        const std::string at = from.str();
        std::string line("forbidden for ");
        line.append(log::printable(user)).append(" at ").append(at).append(": ").append(name_of(d.op));
        line.append(" in ").append(log::printable(d.channel)).append(": ").append(d.why);
        log::fields facts = {
            {"event", "forbidden"},
            {"address", std::string_view(at)},
            {"operation", name_of(d.op)},
            {"channel", std::string_view(d.channel)}};
        if (!d.user.empty()) facts.push_back({"user", std::string_view(d.user)});
        if (others > 0) {
            line.append(" (").append(std::to_string(others)).append(" others before are not in the log)");
            facts.push_back({"left_out", others});
        }
        log::write(log::level::info, line, facts);
    }
    audit_entry e;
    e.event = "forbidden";
    e.user = d.user;
    e.operation = name_of(d.op);
    e.channel = d.channel;
    audit(from, e);
}

void shard::charge_answer(const address& client, std::size_t bytes) {
    const std::size_t requests = bytes / answer_bytes_per_command;
    address_limits* limits = all_.addresses();
    if (limits == nullptr || requests < 2) return;
    (void)limits->request(client, now().monotonic_ms, static_cast<std::uint32_t>(requests));
}

void shard::audit(const address& client, audit_entry e) {
    if (settings().audit_log.empty()) return;
    address_limits* limits = all_.addresses();
    if (limits != nullptr && !limits->admits_line(client, now().monotonic_ms)) return audited_.leave_out();
    if (!audited_.admits(now().monotonic_ms)) return;
    const std::string from = client.str();
    e.client = from;
    e.left_out = audited_.take_left_out();
    all_.audit(audit_text(e, now().wall_ms));
}

void shard::accepted(tcp_socket&& socket) {
    // A peer that has gone already has no address; its first read ends it.
    const address peer = peer_of(socket.descriptor()).value_or(address());
    address_limits::held counted;
    auto why = turned_away::no;
    if (!admit_address(peer, counted)) {
        why = turned_away::too_many_of_its_address;
    } else if (!all_.admit_connection()) {
        ++metrics().refused;
        why = turned_away::server_is_full;
    }
    const std::string_view words =
        why == turned_away::server_is_full ? canned().overloaded : canned().too_many;
    if (why != turned_away::no) {
        // With TLS a handshake would cost more than the words are worth.
        if (tls_ != nullptr) return;
        if (!all_.admit_spare_connection()) return send_last_words(socket.descriptor(), words);
    }
    const int on = 1;  // a socket that cannot be set up fails at its first read
    (void)::setsockopt(socket.descriptor(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    // A peer that is gone without a word acknowledges nothing. The kernel would try for a quarter of an hour,
    // and not every stream has a client that answers pings.
    const auto& bounds = settings().bounds;
    const auto silence_ms = static_cast<std::uint32_t>(std::min<std::uint64_t>(
        std::uint64_t{bounds.ping_ms} + bounds.pong_ms, std::numeric_limits<int>::max()
    ));
    auto made = std::make_unique<connection>(*this, connections_.next_id(), std::move(socket));
    const std::uint64_t id = connections_.add(std::move(made)).id();
    connections_.guarded(id, [&](connection& c) {
        c.give_up_after(silence_ms);
        c.comes_from(peer, std::move(counted));
        c.turn_away(why, words);
        c.start(all_.first_conversation(c, *this), tls_.get());
    });
}

// A batch of another shard may hold all that hundreds of its clients asked for.
void shard::receive(std::vector<hub::shard_message>&& batch, std::uint64_t bytes) {
    mail_.add(std::move(batch), bytes);
    if (!receive_is_due_) receive_some();
}

void shard::receive_some() {
    // Also when a value cannot be received, those after it are.
    const auto finally = std::unique_ptr<shard, void (*)(shard*)>(this, [](shard* s) {
        if (const std::uint64_t bytes = s->mail_.take_done_bytes(); bytes > 0) s->all_.received(bytes);
        s->receive_is_due_ = !s->mail_.empty();
        if (s->receive_is_due_) asio::post(s->loop(), [s] { s->receive_some(); });
    });
    mail_.take(new_slice(), [this](hub::shard_message&& m) { hub_.receive(std::move(m)); });
}

void shard::retire(connection& c) {
    retired_.push_back(connections_.remove(c.id()));
    all_.release_connection();
    schedule_turn_end();
}

void shard::heard(connection& c) {
    tell_hub([id = c.id()](hub::hub& h, hub::instant at) { h.heard(id, at); });
}

// Every connection shows one token at a time, so no more wait than there are connections.
std::optional<access::verdict> shard::verify(const hub::output::verification& v) {
    std::string refused;
    auto known = all_.verify(v.token, refused);
    if (!known) unverified_.push_back(v);
    if (known && known->who != nullptr) {
        log::debug("connection ", index(), ".", v.connection, " shows a token of ", known->who->user);
        if (connection* c = connections_.find(v.connection)) c->owner().user = known->who->user;
    }
    if (!refused.empty())
        if (const connection* c = connections_.find(v.connection)) note_token(c->peer(), refused);
    return known;
}

void shard::verify_waiting() {
    for (const hub::output::verification& v : std::exchange(unverified_, {})) {
        auto known = verify(v);
        if (!known) continue;
        tell_hub([&](hub::hub& h, hub::instant at) { h.verified(v.connection, v.number, *known, at); });
    }
}

void shard::note_token(const address& client, std::string_view why) {
    refusal_note n;
    n.why = refused_for::token;
    n.sentence = why;
    note_refusal(client, n);
}

void shard::read_on() {
    connections_.each_guarded([](connection& c) { c.look_for_room(); });
}

// --- turns and time ---

// Reading on comes before anything is written, so that the answers leave in this turn. Then others first: a
// shard or the disk can begin to work while this one writes to its own connections. Each kind of work has its
// slice, so that the length of a turn is bounded whatever clients do together.
void shard::end_turn() {
    reading_.add(reads().take());
    reading_.serve(new_slice(), [this](std::uint64_t id) {
        connections_.guarded(id, [](connection& c) { c.read_on(); });
    });
    posts_.leave();
    deliveries_.write_collected();
    write();
    deliveries_.observe_written();
    free_retired();
    // What the retired still hold counts as waiting; others would be cut for it.
    if (retired_.empty()) slow_readers_.cut();
    deliveries_.end_turn();
    if (!reading_.empty() || !writing_little_.empty() || !writing_much_.empty() || !retired_.empty())
        schedule_turn_end();
    texts_.forget();
    drain_.report();
    if (const std::int64_t ms = turn_is_late_ms(); ms > 0)
        tell_hub([ms](hub::hub& h, hub::instant) { h.was_late(ms); });
}

// Who is answered in a few bytes does not wait for those who asked for megabytes.
void shard::write() {
    std::size_t added = 0;
    for (const std::uint64_t id : flushes().take()) {
        const connection* c = connections_.find(id);
        if (c == nullptr) continue;
        const bool much = c->writes_much();
        (much ? writing_much_ : writing_little_).add(id);
        if (much) ++added;
    }
    const auto flush = [this](std::uint64_t id) {
        connections_.guarded(id, [](connection& c) { c.flush(); });
    };
    writing_little_.serve(new_slice(), flush);
    writing_much_.serve(new_slice(), flush);
    // The others count as waiting already.
    writing_much_.each_of_last(added, [this](std::uint64_t id) {
        connections_.guarded(id, [](connection& c) { c.put_off(); });
    });
}

// One by one, because what waits for a single one may be tens of thousands of messages.
void shard::free_retired() {
    const time_slice slice = new_slice();
    while (!retired_.empty()) {
        retired_.pop_back();
        if (slice.is_over()) return;
    }
}

// One of a stream that had a time to live may have ended while the server was down.
void shard::note_stream(const hub::restored_channel& kept) {
    const std::string& prefix = settings().streams;
    if (!prefix.empty() && kept.name.starts_with(prefix + ":")) desk_.look_at(kept.name, 0);
}

// A process that the others took for dead goes on under another name.
void shard::name_process() {
    if (index() == 0) all_.name_process(hub_.shared()->first().copy().process());
}

void shard::schedule_log_tick() {
    log_timer_.expires_after(log_tick_interval);
    log_timer_.async_wait([this](const boost::system::error_code& error) {
        if (error) return;
        schedule_log_tick();
        hub_.tell_log([this](cluster::log_channels&, hub::instant at) { hub_.shared_runner().tick(at); });
        name_process();
    });
}

void shard::from_broker(std::vector<cluster::from_broker>&& batch) {
    const bool is_due = !from_broker_.empty();
    std::move(batch.begin(), batch.end(), std::back_inserter(from_broker_));
    if (!is_due) receive_from_broker();
}

// In slices: a server that starts reads millions of records, and its loops serve other channels meanwhile.
void shard::receive_from_broker() {
    std::uint64_t bytes = 0;
    hub_.tell_log([&](cluster::log_channels& log, hub::instant at) {
        for (const time_slice slice = new_slice(); !from_broker_.empty() && !slice.is_over();) {
            const cluster::from_broker one = std::move(from_broker_.front());
            from_broker_.pop_front();
            bytes += memory_of(one);
            log.on(one, at);
        }
    });
    all_.received_from_broker(bytes);
    if (!from_broker_.empty()) asio::post(loop(), [this] { receive_from_broker(); });
}

void shard::post_elsewhere(std::uint64_t process, cluster::post_note&& what, post_done done) {
    hub_.tell_log([&](cluster::log_channels&, hub::instant at) {
        hub_.shared_runner().post_elsewhere(process, std::move(what), std::move(done), at);
    });
}

void shard::answer_post(std::uint64_t process, const cluster::posted_note& what) {
    hub_.tell_log([&](cluster::log_channels& log, hub::instant at) { log.first().tell(process, what, at); });
}

void shard::tell_nodes(const cluster::order& what) {
    hub_.tell_log([&](cluster::log_channels& log, hub::instant at) { log.tell_nodes(what, at); });
}

void shard::schedule_sweep() {
    sweep_timer_.expires_after(sweep_interval);
    sweep_timer_.async_wait([this](const boost::system::error_code& error) {
        if (error) return;
        const std::chrono::duration<double> late = std::chrono::steady_clock::now() - sweep_timer_.expiry();
        note_lag(late);
        schedule_sweep();
        if (sweep_at_ == 0) sweep();
    });
}

void shard::note_lag(std::chrono::duration<double> late) {
    metrics().loop_lag.observe(late.count());
    const auto late_ms = static_cast<std::int64_t>(late.count() * 1e3);
    if (!shedding_.note(late_ms, settings().shell.shed_loop_lag_ms)) return;
    if (shedding_.refuses())
        log::warning(
            "loop ", index(), " takes no new clients: what is due waits for ", shedding_.median(),
            " ms, more than shed_loop_lag_ms"
        );
    else
        log::info("loop ", index(), " takes new clients again");
}

// Deadlines of connections have the precision of a sweep, which is why none of them needs a timer.
void shard::sweep() {
    const std::int64_t now_ms = now().monotonic_ms;
    const time_slice slice = new_slice();
    sweep_at_ = connections_.each_guarded_from(
        sweep_at_, [now_ms](connection& c) { c.sweep(now_ms); }, [&slice] { return slice.is_over(); }
    );
    if (sweep_at_ != 0) return asio::post(loop(), [this] { sweep(); });
    if (now_ms < next_tick_ms_) return;
    next_tick_ms_ = now_ms + tick_interval_ms;
    slow_readers_.report();
    desk_.sweep(now());
    bool more = false;
    tell_hub([&more](hub::hub& h, hub::instant at) { more = h.tick(at); });
    // A loop that needs longer than a second for it goes on with both in the same turns.
    if (more && !std::exchange(ticks_on_, true)) asio::post(loop(), [this] { tick_on(); });
}

void shard::tick_on() {
    ticks_on_ = false;
    tell_hub([this](hub::hub& h, hub::instant at) { ticks_on_ = h.tick_on(at); });
    if (ticks_on_) asio::post(loop(), [this] { tick_on(); });
}

void shard::begin_drain() {
    if (drain_.begun()) return;
    if (listener_) listener_->stop();
    drain_.begin();
}

shard_metrics shard::metrics_copy() {
    shard_metrics copy = metrics();
    copy.refuses_clients = shedding_.refuses();
    copy.publication_drops = storage().drops();
    copy.waiting_bytes = storage().memory().bytes();
    copy.hub = hub_.state().count();
    copy.sessions = hub_.state().session_count();
    copy.subscriptions = hub_.state().subscription_count();
    copy.channels = hub_.state().channel_count();
    copy.history_bytes = hub_.state().history_bytes();
    const cluster::log_channels* const log = hub_.shared();
    if (log == nullptr) return copy;
    copy.partitions = log->facts();
    static_cast<hub::channel_counters&>(copy.hub).add(log->count());
    return copy;
}

}  // namespace pulsewire::shell
