#include "common/sim/peer.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace pulsewire::sim {
namespace {

// The info that is shown in presence goes under this name, apart from the ids of commands.
constexpr std::uint32_t info_id = 1u << 31;

std::string joined(const std::set<std::string>& names) {
    std::string all;
    for (const std::string& name : names) all += name + " ";
    return all;
}

}  // namespace

peer::peer(
    timeline& time, dice& random, witness& seen, std::string session, const client::options& o,
    const std::vector<std::string>& channels, outside network
)
    : time_(time),
      random_(random),
      seen_(seen),
      session_(std::move(session)),
      channels_(channels),
      network_(std::move(network)),
      machine_(o, session_, random.any()) {}

// --- the application ---

void peer::start() {
    machine_.start(time_.now());
    obey();
}

void peer::act() {
    if (time_.now() < thaws_) return;
    const std::string& channel = channels_[random_.below(static_cast<std::uint32_t>(channels_.size()))];
    const std::uint32_t dice = random_.below(100);
    if (dice < 55) {
        client::publish_options how;
        how.echo = random_.percent(70);
        how.transient = random_.percent(10);
        how.timeout_ms = random_.percent(10) ? random_.between(1, 8'000) : 0;
        publish(channel, how);
    } else if (dice < 75) {
        for (const auto& [id, s] : subscriptions_)
            if (s.channel == channel) return random_.percent(40) ? unsubscribe(channel) : void();
        subscribe(channel);
    } else if (dice < 85) {
        request();
    } else if (dice < 90) {
        const auto id = random_.percent(50) ? machine_.presence(channel, time_.now())
                                            : machine_.history(
                                                  channel, 5, 0,
                                                  random_.percent(50) ? client::history_page::before
                                                                      : client::history_page::after,
                                                  time_.now()
                                              );
        remember(id, {command::kind::query, channel, {}, false});
    } else if (dice < 95) {
        network_online();
    } else if (!commands_.empty()) {
        auto withdrawn = commands_.begin();
        std::advance(withdrawn, random_.below(static_cast<std::uint32_t>(commands_.size())));
        machine_.cancel(withdrawn->first, time_.now());
        commands_.erase(withdrawn);
        ++counters_.withdrawn;
    }
    obey();
}

void peer::subscribe(const std::string& channel) {
    // One draw per statement: the order in which arguments are evaluated is the compiler's choice.
    const bool presence = random_.percent(50);
    const bool listed = random_.percent(50);
    client::subscribe_options how;
    how.presence = presence;
    how.payload_of = listed ? info_id : 0;
    if (random_.percent(30)) how.latest = random_.below(10);
    const std::uint32_t id = machine_.subscribe(channel, how, time_.now());
    subscriptions_[id] = {channel, {}, false, presence, listed, {}};
    obey();
}

void peer::unsubscribe(const std::string& channel) {
    const auto found = std::find_if(subscriptions_.begin(), subscriptions_.end(), [&](const auto& s) {
        return s.second.channel == channel;
    });
    if (found == subscriptions_.end()) return;
    machine_.unsubscribe(found->first, time_.now());
    subscriptions_.erase(found);
    obey();
}

void peer::publish(const std::string& channel, const client::publish_options& how) {
    std::string payload = "\"" + session_ + " says " + std::to_string(++payloads_) + "\"";
    const auto bytes = static_cast<std::uint32_t>(payload.size());
    const std::uint32_t id = machine_.publish(channel, "say", bytes, how, time_.now());
    const auto what = how.transient ? command::kind::transient : command::kind::publish;
    remember(id, {what, channel, std::move(payload), how.timeout_ms != 0});
    obey();
}

void peer::request() {
    std::string payload = "\"" + session_ + " asks " + std::to_string(++payloads_) + "\"";
    const std::uint32_t timeout_ms = random_.percent(50) ? random_.between(1, 20'000) : 0;
    const std::uint32_t id =
        machine_.request("ask", static_cast<std::uint32_t>(payload.size()), timeout_ms, time_.now());
    remember(id, {command::kind::request, {}, std::move(payload), true});
    obey();
}

void peer::remember(std::uint32_t id, command c) {
    if (id == 0) return blame("the outbox is full");
    commands_[id] = std::move(c);
}

// --- the network, and the machine below the page ---

void peer::when_awake(std::function<void()> what) {
    if (time_.now() >= thaws_ && asleep_.empty()) return what();
    if (asleep_.empty()) wake_up_at(thaws_);
    asleep_.push_back(std::move(what));
}

void peer::wake_up_at(std::int64_t ms) {
    time_.at(ms, [this] {
        if (time_.now() < thaws_) return wake_up_at(thaws_);
        for (; !asleep_.empty(); asleep_.pop_front()) asleep_.front()();
    });
}

void peer::transport_opened(std::uint32_t attempt) {
    when_awake([this, attempt] {
        machine_.transport_opened(attempt, time_.now());
        obey();
    });
}

void peer::transport_closed(std::uint32_t attempt, std::uint16_t code) {
    when_awake([this, attempt, code] {
        machine_.transport_closed(attempt, code, time_.now());
        obey();
    });
}

void peer::message(std::uint32_t attempt, std::string lines) {
    when_awake([this, attempt, lines = std::move(lines)] {
        for (std::size_t begin = 0; begin < lines.size();) {
            const std::size_t end = std::min(lines.find('\n', begin), lines.size());
            line_ = lines.substr(begin, end - begin);
            begin = end + 1;
            note(line_);
            const auto payload = line_.find("\"payload\":");
            const std::size_t header = payload == std::string::npos ? line_.size() : payload + 10;
            const auto bytes = static_cast<std::uint32_t>(line_.size());
            machine_.line(attempt, std::string_view(line_).substr(0, header), bytes, time_.now());
            obey();
        }
    });
}

void peer::network_online() {
    when_awake([this] {
        machine_.network_online(time_.now());
        obey();
    });
}

// --- obeying ---

void peer::obey() {
    for (std::size_t i = 0; i < machine_.actions().size(); ++i) obey(client::action(machine_.actions()[i]));
    machine_.clear_actions();
    flush();
}

void peer::obey(const client::action& a) {
    note({});
    trace_ = (trace_ ^ static_cast<std::uint64_t>(a.kind)) * 1099511628211u;
    switch (a.kind) {
        case client::action_kind::open_transport:
            return network_.open(a.attempt, a.via);
        case client::action_kind::close_transport:
            flush();
            return network_.close();
        case client::action_kind::send:
            return sent(a);
        case client::action_kind::set_timer:
            time_.after(a.delay_ms, [this, mine = ++timer_] {
                when_awake([this, mine] {
                    if (mine != timer_) return;
                    machine_.timer(time_.now());
                    obey();
                });
            });
            return;
        case client::action_kind::state_changed:
            return enters(a);
        case client::action_kind::published:
        case client::action_kind::answered:
        case client::action_kind::failed:
            return ended(a);
        case client::action_kind::refused:
            return blame("a subscription is refused: " + line_);
        default:
            break;
    }
    const auto found = subscriptions_.find(a.id);
    if (found == subscriptions_.end()) return blame("told of a subscription that ended: " + line_);
    subscription& s = found->second;
    const bool of_presence = a.kind == client::action_kind::presence ||
                             a.kind == client::action_kind::joined || a.kind == client::action_kind::left;
    if (of_presence && !s.presence) return blame("did not want to know: " + line_);
    switch (a.kind) {
        case client::action_kind::subscribed: {
            const bool recovered = a.outcome == client::recovery_outcome::recovered;
            ++(recovered ? counters_.recovered : s.seen.told ? counters_.lost : counters_.fresh);
            if (!recovered && s.seen.told != (a.outcome == client::recovery_outcome::lost))
                blame("fresh or lost? " + line_);
            seen_.subscribed(session_, s.channel, s.seen, recovered, part(a.epoch), a.offset);
            s.live = true;
            s.members.clear();
            return;
        }
        case client::action_kind::deliver:
            if (!s.live) blame("not live: " + line_);
            ++(a.offset == 0 ? counters_.transient : counters_.delivered);
            if (a.replayed) ++counters_.replayed;
            if (a.offset == 0) return seen_.delivered_transient(session_, part(a.payload));
            return seen_.delivered(session_, s.channel, s.seen, a.offset, part(a.payload));
        case client::action_kind::presence: {
            const std::string_view list = part(a.payload);
            constexpr std::string_view key = "\"session\":\"";
            for (std::size_t at = 0; (at = list.find(key, at)) != std::string_view::npos; at += key.size())
                s.members.emplace(
                    list.substr(at + key.size(), list.find('"', at + key.size()) - at - key.size())
                );
            return;
        }
        case client::action_kind::joined:
            s.members.emplace(part(a.session));
            return;
        case client::action_kind::left:
            s.members.erase(std::string(part(a.session)));
            return;
        default:
            return blame("nobody dropped anything: " + line_);
    }
}

void peer::sent(const client::action& a) {
    if (!outgoing_.empty()) outgoing_ += '\n';
    const std::string_view text = machine_.text_of(a);
    note(text);
    outgoing_ += text;
    if (a.payload_of != 0) outgoing_ += payload_of(a.payload_of) + "}";
    // Lines of a turn leave together, or in several messages.
    if (random_.percent(30)) flush();
}

void peer::flush() {
    if (!outgoing_.empty()) network_.send(std::exchange(outgoing_, {}));
}

std::string peer::payload_of(std::uint32_t id) const {
    if (id == info_id) return "\"info\"";
    const auto found = commands_.find(id);
    return found == commands_.end() ? "?" : found->second.payload;
}

void peer::enters(const client::action& a) {
    if (a.to == client::state::closed) blame("closed for good");
    if (a.to == client::state::open)
        ++(a.via == client::transport::sse ? counters_.opened_sse : counters_.opened_websocket);
    if (a.to == client::state::open) return;
    for (auto& [id, s] : subscriptions_) s.live = false;
}

void peer::ended(const client::action& a) {
    const auto found = commands_.find(a.id);
    if (found == commands_.end()) return blame("an answer to nothing: " + line_);
    const command c = std::move(found->second);
    commands_.erase(found);
    if (a.kind == client::action_kind::failed) {
        ++counters_.failed;
        const bool lost = a.local_code == error_code::disconnected &&
                          (c.what == command::kind::transient || c.what == command::kind::request);
        const bool late = c.hurried && (a.local_code == error_code::timeout || part(a.code) == "timeout");
        if (!lost && !late) blame("failed without need: " + c.payload + " " + line_);
    } else if (a.kind == client::action_kind::published) {
        ++counters_.published;
        if (c.what == command::kind::publish)
            seen_.acknowledged(c.channel, std::string(part(a.epoch)), a.offset, c.payload);
        if (c.what == command::kind::transient && a.offset != 0) blame("a transient one is kept: " + line_);
        if (c.what != command::kind::publish && c.what != command::kind::transient)
            blame("no publish: " + line_);
    } else {
        ++counters_.answered;
        if (c.what == command::kind::request && part(a.payload) != c.payload)
            blame("another answer: " + line_);
    }
}

void peer::note(std::string_view what) {
    for (const char c : what) trace_ = (trace_ ^ static_cast<unsigned char>(c)) * 1099511628211u;
    trace_ = (trace_ ^ static_cast<std::uint64_t>(time_.now())) * 1099511628211u;
}

// --- what became of it ---

bool peer::listed_in(const std::string& channel) const {
    for (const auto& [id, s] : subscriptions_)
        if (s.channel == channel && s.listed) return true;
    return false;
}

void peer::check_converged(const std::function<std::set<std::string>(const std::string&)>& present) {
    if (machine_.current() != client::state::open) blame("is not open");
    for (const auto& [id, c] : commands_) blame("no answer to " + std::to_string(id) + " " + c.payload);
    for (const auto& [id, s] : subscriptions_) {
        if (!s.live) blame("is not subscribed to " + s.channel);
        seen_.complete(session_, s.channel, s.seen);
        if (s.presence && s.members != present(s.channel))
            blame(
                "presence in " + s.channel + " is not true: " + joined(s.members) + "for " +
                joined(present(s.channel))
            );
    }
}

}  // namespace pulsewire::sim
