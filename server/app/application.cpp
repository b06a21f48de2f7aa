#include "server/app/application.hpp"

#include "common/base/overloaded.hpp"
#include "common/base/payload_kind.hpp"
#include "common/exchange/message_text.hpp"
#include "server/log.hpp"
#include "server/random.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <exception>
#include <utility>
#include <variant>

namespace pulsewire::shell {

std::optional<payload_error> payload_view::unless(bool wanted_binary, std::string_view type) const {
    return other_kind(type, wanted_binary, binary);
}

namespace {

namespace asio = boost::asio;

// The values that the window of seen keys holds in place of an offset.
constexpr std::uint64_t seen_and_passed = 1;
constexpr std::uint64_t seen_and_dropped = 2;

}  // namespace

application::application(const config& settings)
    : settings_(settings),
      work_(asio::make_work_guard(loop_)),
      seen_(
          settings.bounds.idempotency_ms, settings.bounds.idempotency_keys_max, {random_bits(), random_bits()}
      ) {}

application::~application() {
    stop();
}

hub::interests application::wants() const {
    hub::interests all;
    all.connections = !handlers_.on_connect.empty() || !handlers_.on_disconnect.empty();
    all.subscriptions = !handlers_.on_subscribe.empty();
    all.publishes = !handlers_.publishes.empty();
    all.requests = !handlers_.requests.empty();
    for (const auto& one : handlers_.authorizes) all.authorizes |= one.what;
    return all;
}

void application::start(node& home) {
    home_ = &home;
    thread_ = std::thread([this] { run(); });
}

void application::run() {
    thread_id_ = std::this_thread::get_id();
    while (true) {
        try {
            // Entered again after an exception outside of a handler, which must not end the application.
            loop_.run();
            return;
        } catch (const std::exception& e) {
            log::error("the application's thread: ", e.what());
        }
    }
}

void application::stop() {
    asio::post(loop_, [this] {
        // On the loop, because timers belong to its thread. Waiting timers would keep the loop from ending.
        stopping_ = true;
        timers_.clear();
    });
    work_.reset();
    if (thread_.joinable()) thread_.join();
}

// Returns whether `call` ended without an exception. An exception is logged with
// `what`, the subject of the handler.
template <class Call>
bool application::guarded(std::string_view what, Call&& call) noexcept {
    try {
        call();
        return true;
    } catch (const std::exception& e) {
        log::error("the handler of ", what, " ended with an exception: ", e.what());
    } catch (...) {
        log::error("the handler of ", what, " ended with an exception that is no std::exception");
    }
    return false;
}

// --- from other threads ---

void application::run_soon(std::function<void()> what) {
    asio::post(loop_, [this, what = std::move(what)] { guarded("run_soon", what); });
}

void application::publish(
    std::string channel, std::string type, std::string payload, bool transient, std::string conflate,
    bool binary
) {
    hub::publish p;
    p.channel = std::move(channel);
    p.type = std::move(type);
    p.payload = std::move(payload);
    p.conflate = std::move(conflate);
    p.transient = transient;
    p.binary = binary;
    // Another thread's publish waits in the loop, which runs only after start(): before
    // that there is no shard to post to.
    if (std::this_thread::get_id() == thread_id_.load()) return pass_on(std::move(p));
    asio::post(loop_, [this, p = std::move(p)]() mutable { pass_on(std::move(p)); });
}

std::uint64_t application::add_timer(
    std::chrono::milliseconds first, std::chrono::milliseconds interval, std::function<void()> what
) {
    const std::uint64_t id = ++last_timer_;
    // The time counts from the call, not from the moment at which the loop gets to it.
    const auto at = clock::now() + first;
    asio::post(loop_, [this, id, at, interval, what = std::move(what)]() mutable {
        // A timer that was posted during stop() must not start.
        if (stopping_) return;
        auto made = std::make_unique<timer>(timer{asio::steady_timer(loop_, at), interval, std::move(what)});
        timers_.emplace(id, std::move(made));
        arm(id);
    });
    return id;
}

void application::cancel_timer(std::uint64_t id) {
    // Posted, because timers belong to the loop's thread; a handler that runs now is not interrupted.
    asio::post(loop_, [this, id] { timers_.erase(id); });
}

void application::arm(std::uint64_t id) {
    timers_.at(id)->wait.async_wait([this, id](const boost::system::error_code& error) {
        const auto found = timers_.find(id);
        if (error || found == timers_.end()) return;
        timer& t = *found->second;
        if (t.interval.count() == 0) {
            const auto once = std::move(found->second);
            timers_.erase(found);
            guarded("a timer", once->what);
            return;
        }
        // The handler may cancel its own timer, so it is moved out while it runs. It is not
        // copied, so that it keeps its state.
        auto what = std::move(t.what);
        guarded("a timer", what);
        const auto still = timers_.find(id);
        if (still == timers_.end()) return;
        still->second->what = std::move(what);
        // The timer stays in step with its first time; times missed because of a slow handler are left out.
        auto next = t.wait.expiry() + t.interval;
        if (next < clock::now()) next = clock::now();
        t.wait.expires_at(next);
        arm(id);
    });
}

bool application::admit() {
    // Counted before the post, so that several shards together cannot exceed the bound.
    if (waiting_.fetch_add(1) < settings_.shell.application_queue_max) return true;
    --waiting_;
    return false;
}

void application::post(std::vector<hub::to_observer>&& batch) {
    asio::post(loop_, [this, batch = std::move(batch), arrived = clock::now()]() mutable {
        for (hub::to_observer& m : batch)
            std::visit(
                overloaded{
                    [&](hub::client_request& request) { handle(request, arrived); },
                    [&](auto& other) { handle(other); },
                },
                m
            );
    });
}

// --- what clients did ---

void application::handle(hub::connected& m) {
    pulsewire::connection c(*this, m.who, std::move(m.session), std::move(m.user));
    for (const auto& handler : handlers_.on_connect) guarded("on_connect", [&] { handler(c); });
}

void application::handle(hub::disconnected& m) {
    pulsewire::connection c(*this, m.who, std::move(m.session), std::move(m.user));
    for (const auto& handler : handlers_.on_disconnect) guarded("on_disconnect", [&] { handler(c); });
}

void application::handle(hub::client_subscribed& m) {
    subscription_event e(
        pulsewire::connection(*this, m.who, std::move(m.session), std::move(m.user)), std::move(m.channel)
    );
    for (const auto& [prefix, handler] : handlers_.on_subscribe)
        if (e.channel().starts_with(prefix)) guarded("on_subscribe", [&, &h = handler] { h(e); });
}

void application::handle(hub::client_publish& m) {
    --waiting_;
    if (answered_before(m.what)) return;
    const auto from = m.what.from;
    const bool declared_only = m.declared_only;
    pulsewire::connection publisher(*this, from, std::move(m.session), m.what.user);
    publish_context c(std::move(publisher), std::move(m.what));
    ask_handlers(c, declared_only);
}

void application::handle(hub::authorize& m) {
    --waiting_;
    const auto decides = [&](const handlers::for_permissions& one) {
        return m.channel.starts_with(one.prefix) && !(one.what & m.wants).empty();
    };
    const auto found = std::find_if(handlers_.authorizes.begin(), handlers_.authorizes.end(), decides);
    const auto to = m.who;
    const auto number = m.number;
    if (found == handlers_.authorizes.end()) return answer(to, number, authorization::allow());
    pulsewire::connection who(*this, to, std::move(m.session), std::move(m.user));
    const authorization_request asked(*this, std::move(who), std::move(m));
    // An exception must not let anybody in.
    authorization given(error_code::handler_failed, "the server's handler of permissions failed");
    guarded("authorize", [&] { given = found->decide(asked); });
    if (given.refused_ != error_code::timeout) answer(to, number, std::move(given));
}

// A transient publish is never remembered. The owner of the channel does not know its key either, so each one
// has an effect and must pass the handlers.
bool application::is_remembered(const hub::publish& p) {
    return !p.key.empty() && !p.transient;
}

// Only a repetition of content that the handlers have seen skips them.
bool application::answered_before(const hub::publish& p) {
    const auto before = is_remembered(p) ? seen_.find(p.channel, {}, p.key, now_ms()) : std::nullopt;
    if (!before) return false;
    // The same check as the owner makes, for keys whose publish a handler dropped and the owner never saw.
    if (!before->is(p.content)) {
        refuse(p, error_code::key_reused, "another message was published in this channel with the same key");
    } else if (before->offset == seen_and_passed) {
        pass_on(hub::publish(p));  // the owner knows the key too and answers with the first position
    } else if (p.id != 0) {
        send_to(p.from, hub::make_published(p.id, p.channel, {}, 0));
    }
    return true;
}

void application::ask_handlers(publish_context& c, bool declared_only) {
    const auto found = handlers_.publishes.find(c.what_.type);
    // Types without a handler come here too, because all publishes keep one order (server::on).
    const bool declared = found != handlers_.publishes.end() &&
                          std::any_of(found->second.begin(), found->second.end(), [&](const auto& one) {
                              return c.channel().starts_with(one.prefix);
                          });
    if (!declared && declared_only) return refuse(c.what_, error_code::forbidden, hub::undeclared_type);
    if (!declared) return settle(c);
    const std::string type = c.what_.type;
    // A handler may replace what is in the context.
    const std::string payload = c.what_.payload;
    const bool binary = c.what_.binary;
    for (const auto& [prefix, handler] : found->second) {
        // The first handler that decides settles it; the others are not asked.
        if (!c.channel().starts_with(prefix) || c.settled_) continue;
        std::optional<payload_error> wrong;
        const bool ended_well = guarded(type, [&, &h = handler] { wrong = h({payload, binary}, c); });
        if (!ended_well)
            return refuse(c.what_, error_code::handler_failed, "the server's handler of " + type + " failed");
        if (wrong) return refuse(c.what_, error_code::invalid_payload, wrong->message(), wrong->pointer);
    }
    settle(c);
}

void application::settle(publish_context& c) {
    using verdict = publish_context::verdict;
    hub::publish& p = c.what_;
    if (c.verdict_ == verdict::reject) return refuse(p, error_code::rejected, c.reason_);
    // A rejected publish is not remembered, so that the client may try again with the same key.
    if (is_remembered(p)) {
        const std::uint64_t outcome = c.verdict_ == verdict::pass ? seen_and_passed : seen_and_dropped;
        seen_.remember(p.channel, {}, p.key, {outcome, p.content}, p.publisher, now_ms());
    }
    if (c.verdict_ == verdict::pass) return pass_on(std::move(p));
    if (p.id != 0) send_to(p.from, hub::make_published(p.id, p.channel, {}, 0));
}

void application::refuse(
    const hub::publish& p, error_code code, std::string_view text, std::string_view pointer
) {
    send_to(p.from, hub::make_error(p.id, code, text, pointer));
}

void application::handle(hub::client_request& m, clock::time_point arrived) {
    --waiting_;
    // Every answer names the request that it ends, so that the session drops one that comes too late.
    const auto answer = [&](hub::message_ptr what) { send_to(m.from, std::move(what), m.id); };
    const auto refused = [&](error_code code, std::string_view text, std::string_view pointer = {}) {
        answer(hub::make_error(m.id, code, text, pointer));
    };
    const auto found = handlers_.requests.find(m.type);
    if (found == handlers_.requests.end())
        return refused(error_code::no_handler, "no handler for requests of type " + m.type);
    // The client's deadline has passed, so the handler's work would be in vain.
    if (clock::now() - arrived >= std::chrono::milliseconds(m.timeout_ms))
        return refused(error_code::timeout, "the server was too busy to answer in time");
    request_context c(pulsewire::connection(*this, m.from, m.session, m.user));
    request_outcome outcome;
    if (!guarded(m.type, [&] { outcome = found->second({m.payload, m.binary}, c); }))
        return refused(error_code::handler_failed, "the server's handler of " + m.type + " failed");
    if (const auto* wrong = std::get_if<payload_error>(&outcome))
        return refused(error_code::invalid_payload, wrong->message(), wrong->pointer);
    if (const auto* why = std::get_if<rejection>(&outcome)) return refused(error_code::rejected, why->reason);
    const auto& given = std::get<answer_payload>(outcome);
    answer(hub::make_response(m.id, given.text, given.binary));
}

// --- what becomes of it ---

std::int64_t application::now_ms() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(clock::now().time_since_epoch()).count();
}

void application::post(hub::shard_index to, hub::shard_message&& value) {
    std::vector<hub::shard_message> one;
    one.push_back(std::move(value));
    home_->post(to, std::move(one));
}

void application::pass_on(hub::publish&& p) {
    // Posts from this thread keep their order, and so do the publishes of one client.
    const hub::shard_index owner = home_->index_of_owner(p.channel);
    post(owner, hub::channel_change(std::move(p)));
}

// To the connection's shard, which alone may touch its session: so do the following.
void application::send_to(hub::connection_ref to, hub::message_ptr what, std::uint64_t ends_request) {
    post(to.shard, hub::to_session(hub::reply{to, std::move(what), ends_request}));
}

void application::answer(hub::connection_ref to, std::uint64_t number, authorization given) {
    post(to.shard, hub::to_session(hub::authorized{to, number, given.refused_, std::move(given.reason_)}));
}

void application::disconnect(hub::connection_ref who, close_code code, std::string reason) {
    post(who.shard, hub::to_session(hub::disconnect{who, code, std::move(reason)}));
}

void application::subscribe(hub::connection_ref who, std::string channel) {
    post(who.shard, hub::to_session(hub::offer_channel{who, std::move(channel)}));
}

void application::unsubscribe(hub::connection_ref who, std::string channel) {
    post(who.shard, hub::to_session(hub::end_subscription{who, std::move(channel)}));
}

}  // namespace pulsewire::shell

namespace pulsewire {

void connection::send_payload(
    std::string_view channel, std::string_view type, std::string_view payload, bool binary
) const {
    home_->send_to(ref_, hub::make_direct(channel, type, payload, binary));
}

void connection::send_bytes(std::string_view channel, std::string_view type, std::span<const std::byte> bytes)
    const {
    send_payload(channel, type, {reinterpret_cast<const char*>(bytes.data()), bytes.size()}, true);
}

void connection::subscribe(std::string_view channel) const {
    home_->subscribe(ref_, std::string(channel));
}

void connection::unsubscribe(std::string_view channel) const {
    home_->unsubscribe(ref_, std::string(channel));
}

void pending_authorization::answer(authorization given) const {
    home_->answer(to_, number_, std::move(given));
}

void connection::close(close_code code, std::string reason) const {
    home_->disconnect(ref_, code, std::move(reason));
}

void publish_context::reject(std::string reason) {
    verdict_ = verdict::reject;
    reason_ = std::move(reason);
    settled_ = true;
}

void publish_context::drop() {
    verdict_ = verdict::drop;
    settled_ = true;
}

void publish_context::replace(std::string_view type, std::string payload, std::string except) {
    what_.type = type;
    what_.payload = std::move(payload);
    what_.binary = false;
    if (!except.empty()) what_.except = std::move(except);
    settled_ = true;
}

}  // namespace pulsewire
