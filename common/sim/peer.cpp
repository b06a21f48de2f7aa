#include "common/sim/peer.hpp"

#include "common/base/base64.hpp"
#include "common/session/public_name.hpp"
#include "common/sim/text.hpp"

#include <iterator>
#include <utility>

namespace pulsewire::sim {
namespace {

// The info that is shown in presence goes under this name, apart from the ids of commands.
constexpr std::uint32_t info_id = 1u << 31;

std::string joined(const names& all) {
    std::string text;
    for (const std::string& name : all) text += name + " ";
    return text;
}

// Out of the array of members.
names sessions_in(std::string_view list) {
    constexpr std::string_view key = "\"session\":";
    names all;
    for (std::size_t at = 0; (at = list.find(key, at)) != list.npos; at += key.size()) {
        const std::string_view quoted = string_after(list.substr(at), key);
        all.emplace(quoted.substr(1, quoted.size() - 2));
    }
    return all;
}

// In both forms, whatever else happens.
bool is_binary(std::uint32_t number) {
    return number % 4 == 0;
}

}  // namespace

peer::peer(
    timeline& time, dice& random, witness& seen, std::string_view secret, const client::options& o,
    const std::vector<std::string>& channels, outside network
)
    : time_(time),
      random_(random),
      seen_(seen),
      session_(hub::public_name(secret)),
      channels_(channels),
      network_(std::move(network)),
      machine_(o, secret, random.any()),
      tokens_(o.tokens) {}

// --- the application ---

void peer::start() {
    machine_.start(time_.now());
    obey();
    for (const std::string& channel : channels_)
        if (random_.percent(60)) subscribe(channel);
}

void peer::act() {
    if (gone_ || time_.now() < thaws_) return;
    const std::string& channel = channels_[random_.below(static_cast<std::uint32_t>(channels_.size()))];
    const std::uint32_t dice = random_.below(100);
    if (dice < 55) {
        client::publish_options how;
        how.echo = random_.percent(70);
        how.transient = random_.percent(10);
        how.timeout_ms = random_.percent(10) ? random_.between(1, 8'000) : 0;
        constexpr std::string_view keys[] = {"", "x", "y"};
        how.conflate = keys[random_.below(3)];
        if (seen_.options_of(channel).state_bytes_max != 0) {
            if (random_.percent(8)) return offer(channel, false);
            // Its state is made of what it is shown.
            how.echo = true;
        }
        publish(channel, how);
    } else if (dice < 75) {
        for (const auto& [id, s] : subscriptions_)
            if (s.channel == channel) return random_.percent(40) ? unsubscribe(channel) : void();
        subscribe(channel);
    } else if (dice < 85) {
        random_.percent(50) ? request() : question(channel);
    } else if (dice < 90) {
        ask(channel);
    } else if (dice < 95) {
        network_online();
    } else if (!commands_.empty()) {
        auto withdrawn = commands_.begin();
        std::advance(withdrawn, random_.below(static_cast<std::uint32_t>(commands_.size())));
        machine_.cancel(withdrawn->first, time_.now());
        commands_.erase(withdrawn);
        seen_.reached(situation::withdrawn);
    }
    obey();
}

void peer::subscribe(const std::string& channel, state_from from) {
    // One draw per statement: the order in which arguments are evaluated is the compiler's choice.
    const bool keeps_presence = seen_.options_of(channel).presence;
    const bool presence = random_.percent(50) && keeps_presence;
    const bool listed = random_.percent(50) && keeps_presence;
    client::subscribe_options how;
    how.presence = presence;
    how.payload_of = listed ? info_id : 0;
    if (random_.percent(30)) how.latest = random_.below(10);
    view seen;
    state_view state;
    if (random_.percent(50) && from == state_from::anything) {
        const place& left = left_at_[channel];
        seen = left.seen;
        if (left.made) state.made = *left.made;
    }
    if (seen_.options_of(channel).state_bytes_max != 0) {
        state.wanted = from != state_from::anything || random_.percent(75);
        // A position without the state that belongs to it is of no use.
        if (state.wanted && !left_at_[channel].made) seen = {};
    }
    how.state = state.wanted;
    how.epoch = seen.epoch;
    how.offset = seen.offset;
    const std::uint32_t id = machine_.subscribe(channel, how, time_.now());
    subscription& s = subscriptions_[id];
    s = {channel, how.latest, std::move(seen), false, presence, listed, {}, ++subscriptions_made_, false};
    s.state = std::move(state);
    obey();
}

void peer::unsubscribe(const std::string& channel) {
    const auto found = std::find_if(subscriptions_.begin(), subscriptions_.end(), [&](const auto& s) {
        return s.second.channel == channel;
    });
    if (found == subscriptions_.end()) return;
    machine_.unsubscribe(found->first, time_.now());
    const subscription& s = found->second;
    const bool has_state = s.state.wanted && !s.state.begins && !s.state.broken && s.seen.told;
    left_at_[channel] = {s.seen, has_state ? std::optional(s.state.made) : std::nullopt};
    subscriptions_.erase(found);
    obey();
}

void peer::publish(const std::string& channel, const client::publish_options& how) {
    std::string payload = "\"" + session_ + " says " + std::to_string(++payloads_);
    payload += how.echo ? "\"" : to_others;
    const auto bytes = static_cast<std::uint32_t>(payload.size());
    const std::uint32_t id = machine_.publish(channel, "say", bytes, how, time_.now());
    const auto what = how.transient ? command::kind::transient : command::kind::publish;
    command c{what, channel, std::move(payload), how.timeout_ms != 0};
    c.binary = is_binary(payloads_);
    remember(id, std::move(c));
    obey();
}

void peer::request() {
    std::string payload = "\"" + session_ + " asks " + std::to_string(++payloads_) + "\"";
    const std::uint32_t timeout_ms = random_.percent(50) ? random_.between(1, 20'000) : 0;
    const std::uint32_t id =
        machine_.request("ask", static_cast<std::uint32_t>(payload.size()), timeout_ms, time_.now());
    command c{command::kind::request, {}, std::move(payload), true};
    c.binary = is_binary(payloads_);
    remember(id, std::move(c));
    obey();
}

void peer::ask(const std::string& channel) {
    const auto page = static_cast<client::history_page>(random_.below(4));
    const std::uint32_t limit = random_.between(1, 5);
    const bool by_time = page == client::history_page::since || page == client::history_page::until;
    const bool backwards = page == client::history_page::before || page == client::history_page::until;
    const std::uint64_t from = by_time               ? wall_clock_begin_ms + random_.below(20'000)
                               : random_.percent(50) ? random_.below(30)
                                                     : 0;
    const std::uint32_t id = machine_.history(channel, limit, from, page, time_.now());
    remember(id, {command::kind::history, channel, {}, false, backwards});
    if (seen_.options_of(channel).presence)
        remember(machine_.presence(channel, time_.now()), {command::kind::presence, channel, {}, false});
    obey();
}

void peer::leave(bool properly) {
    if (gone_) return;
    seen_.tell(session_, properly ? "leaves" : "crashes");
    leaves_ = true;
    if (properly) {
        machine_.stop(time_.now());
        obey();
        if (!commands_.empty()) blame("stopped, and says nothing of " + commands_.begin()->second.payload);
    }
    gone_ = true;
}

void peer::remember(std::uint32_t id, command c) {
    if (id == 0) return blame("the outbox is full");
    commands_[id] = std::move(c);
}

// --- the network, and the machine below the page ---

void peer::when_awake(std::function<void()> what) {
    if (gone_) return;
    if (time_.now() >= thaws_ && asleep_.empty()) return what();
    if (asleep_.empty()) wake_up_at(thaws_);
    asleep_.push_back(std::move(what));
}

void peer::wake_up_at(std::int64_t ms) {
    time_.at(ms, [this] {
        if (time_.now() < thaws_) return wake_up_at(thaws_);
        for (; !asleep_.empty() && !gone_; asleep_.pop_front()) asleep_.front()();
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
            line(attempt, std::string_view(lines).substr(begin, end - begin));
            begin = end + 1;
        }
    });
}

void peer::line(std::uint32_t attempt, std::string_view text) {
    line_ = text;
    trace_.add(line_);
    const auto payload = line_.find("\"payload\":");
    const std::size_t header = payload == std::string::npos ? line_.size() : payload + 10;
    const auto bytes = static_cast<std::uint32_t>(line_.size());
    if (seen_.heard()) seen_.tell(session_, "<- " + line_);
    if (line_.starts_with(R"({"type":)") && line_.find(R"(,"covers":)") != line_.npos) sees_mark(line_);
    if (line_.starts_with(R"({"op":"gap")") && line_.find(R"("reason":"dropped")") != std::string::npos)
        for (auto& [id, s] : subscriptions_)
            if (line_.find("\"channel\":\"" + s.channel + "\"") != std::string::npos) s.misses_dropped = true;
    machine_.line(attempt, std::string_view(line_).substr(0, header), bytes, time_.now());
    obey();
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
    trace_.add(static_cast<std::uint64_t>(time_.now()) << 8 | static_cast<std::uint64_t>(a.kind));
    switch (a.kind) {
        case client::action_kind::open_transport:
            if (seen_.heard()) seen_.tell(session_, "opens attempt " + std::to_string(a.attempt));
            return network_.open(a.attempt, a.via);
        case client::action_kind::close_transport:
            flush();
            if (seen_.heard()) seen_.tell(session_, "closes with " + std::to_string(a.close));
            if (a.close == static_cast<std::uint16_t>(close_code::no_pong))
                seen_.reached(situation::silence_noticed_by_client);
            return network_.close(a.attempt);
        case client::action_kind::send:
            return sent(a);
        case client::action_kind::set_timer:
            time_.after(a.delay_ms, [this, mine = ++timer_] {
                if (mine != timer_) return;
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
        case client::action_kind::need_token:
            if (a.attempt != 0) gives_token(a.attempt);
            return;
        case client::action_kind::degraded:
            return blame("a server without a broker is degraded: " + line_);
        case client::action_kind::offered:
            return offered(std::string(part(a.type)));
        case client::action_kind::refused: {
            const auto lost = subscriptions_.find(a.id);
            const bool lacks = lost != subscriptions_.end() && may_lack(lost->second.channel);
            if (!tokens_ || !lacks || said_code(a) != "forbidden")
                return blame("a subscription is refused: " + line_);
            subscriptions_.erase(lost);
            return;
        }
        default:
            break;
    }
    if (a.kind == client::action_kind::asked) return is_asked(a);
    const auto found = subscriptions_.find(a.id);
    if (found == subscriptions_.end()) return blame("told of a subscription that ended: " + line_);
    if (a.kind == client::action_kind::snapshot) return is_given_part(found->second, a);
    if (a.kind == client::action_kind::snapshot_wanted) return offer(found->second.channel, true);
    tell(found->second, a);
}

// An application that looks at what it is offered a moment later, when it may be subscribed already.
void peer::offered(const std::string& channel) {
    time_.after(random_.below(500), [this, channel] {
        when_awake([this, channel] {
            const bool has = std::any_of(subscriptions_.begin(), subscriptions_.end(), [&](const auto& s) {
                return s.second.channel == channel;
            });
            if (gone_ || has) return;
            seen_.reached(situation::offered);
            subscribe(channel);
        });
    });
}

void peer::gives_token(std::uint32_t number) {
    bool there = false;
    std::int64_t after_ms = 0;
    const std::string token = network_.token(there, after_ms);
    if (seen_.heard()) seen_.tell(session_, "asks for a token, gets " + (there ? token : "none"));
    time_.after(after_ms, [this, number, token, there] {
        when_awake([this, number, token, there] {
            if (there) {
                machine_.token(number, token, time_.now());
            } else {
                machine_.token_failed(number, time_.now());
            }
            obey();
        });
    });
}

// A subscription gets a message, or learns of its state.
void peer::tell(subscription& s, const client::action& a) {
    const bool of_presence = a.kind == client::action_kind::presence ||
                             a.kind == client::action_kind::joined || a.kind == client::action_kind::left;
    if (of_presence && !s.presence) return blame("did not want to know: " + line_);
    if (!s.live && a.kind != client::action_kind::subscribed) blame("not live: " + line_);
    switch (a.kind) {
        case client::action_kind::subscribed: {
            const bool recovered = a.outcome == client::recovery_outcome::recovered;
            if (!recovered && s.seen.told != (a.outcome == client::recovery_outcome::lost))
                blame("fresh or lost? " + line_);
            starting_point from;
            from.recovered = recovered;
            from.epoch = part(a.epoch);
            from.offset = a.offset;
            from.replay = number_after(line_, "\"replay\":");
            from.reason = part(a.reason);
            from.latest = s.latest;
            from.state = s.state.wanted;
            seen_.subscribed(session_, s.channel, s.seen, from);
            if (s.state.wanted) begins_state(s, recovered, from.replay);
            s.live = true;
            if (std::exchange(s.misses_dropped, false) && recovered && from.replay != 0)
                seen_.reached(situation::dropped_recovered);
            s.members.clear();
            return;
        }
        case client::action_kind::deliver:
            if (a.offset == 0) return seen_.delivered_transient(session_, part(a.payload));
            if (s.state.begins) has_begun(s, 0);
            seen_.delivered(session_, s.channel, s.seen, a.offset, part(a.payload));
            return s.state.wanted ? changes_state(s, part(a.payload)) : void();
        case client::action_kind::gap:
            loses_state(s);
            return seen_.replaced(session_, s.channel, s.seen, a.offset);
        case client::action_kind::presence:
            s.members = sessions_in(part(a.payload));
            return;
        case client::action_kind::joined:
            seen_.reached(situation::joined);
            if (!s.members.emplace(part(a.session)).second) blame("joins twice: " + line_);
            return;
        case client::action_kind::left:
            seen_.reached(situation::left);
            if (s.members.erase(std::string(part(a.session))) == 0)
                blame("leaves and was not there: " + line_);
            return;
        default:
            return blame("nobody dropped anything: " + line_);
    }
}

void peer::sent(const client::action& a) {
    if (outgoing_to_ != a.attempt) flush();
    outgoing_to_ = a.attempt;
    if (!outgoing_.empty()) outgoing_ += '\n';
    const std::size_t begin = outgoing_.size();
    outgoing_ += machine_.text_of(a);
    if (a.payload_of != 0) {
        const auto of = commands_.find(a.payload_of);
        const bool binary = of != commands_.end() && of->second.binary;
        if (binary) outgoing_.insert(outgoing_.rfind(R"("payload":)"), R"("binary":true,)");
        const std::string_view payload = payload_of(a.payload_of);
        outgoing_ += binary ? '"' + to_base64(payload) + '"' : std::string(payload);
        outgoing_ += '}';
    }
    const std::string_view line = std::string_view(outgoing_).substr(begin);
    trace_.add(line);
    if (line.starts_with(R"({"op":"subscribe")")) check_position(line);
    if (seen_.heard()) seen_.tell(session_, "-> " + std::string(line));
    // Lines of a turn leave together, or in several messages.
    if (random_.percent(30)) flush();
}

void peer::flush() {
    if (!outgoing_.empty()) network_.send(outgoing_to_, std::exchange(outgoing_, {}));
}

std::string_view peer::payload_of(std::uint32_t id) {
    if (id == info_id) return "\"info\"";
    const auto found = commands_.find(id);
    if (found == commands_.end()) return "?";
    command& c = found->second;
    if (++c.sent == 1) {
        c.sent_to = seen_.life();
    } else if (c.what == command::kind::publish) {
        seen_.reached(situation::publish_repeated);
        if (seen_.is_durable(c.channel) && seen_.knows(c.payload) && c.sent_to != seen_.life())
            seen_.reached(situation::repeated_after_restart);
    }
    return c.payload;
}

void peer::enters(const client::action& a) {
    if (a.to == client::state::closed && !leaves_) blame("closed for good");
    if (a.to == client::state::open) {
        if (a.via == client::transport::sse) seen_.reached(situation::fell_back_to_sse);
        return;
    }
    if (a.close == static_cast<std::uint16_t>(close_code::service_restart))
        seen_.reached(situation::told_to_come_back);
    for (auto& [id, s] : subscriptions_) s.live = false;
}

void peer::ended(const client::action& a) {
    // It may not answer another client any more.
    if (a.kind == client::action_kind::failed && a.id == 0 && tokens_ && said_code(a) == "forbidden") return;
    const auto found = commands_.find(a.id);
    if (found == commands_.end()) return blame("an answer to nothing: " + line_);
    const command c = std::move(found->second);
    commands_.erase(found);
    if (a.kind == client::action_kind::failed) return failed(a, c);
    switch (c.what) {
        case command::kind::publish:
            if (a.kind != client::action_kind::published) blame("no answer to a publish: " + line_);
            return seen_.acknowledged(c.channel, part(a.epoch), a.offset, c.payload);
        case command::kind::transient:
            if (a.offset != 0) blame("a transient one is kept: " + line_);
            return;
        case command::kind::request:
            if (part(a.payload) != c.payload) blame("another answer: " + line_);
            return;
        case command::kind::question:
            return check_answer(c, part(a.payload));
        case command::kind::history:
            return seen_.read(c.channel, part(a.epoch), a.offset, c.backwards, part(a.payload));
        case command::kind::presence:
            if (seen_.calm()) asked_[c.channel] = sessions_in(part(a.payload));
            return;
    }
}

// Which errors may be is a matter of what was asked.
void peer::failed(const client::action& a, const command& c) {
    const bool publish = c.what == command::kind::publish || c.what == command::kind::transient;
    const std::string_view code = said_code(a);
    if (code == "closed" && leaves_) return;
    if (c.what == command::kind::question) return check_failure(c, code, part(a.code) == code);
    if (code == "disconnected" && (c.what == command::kind::transient || c.what == command::kind::request)) {
        if (c.what == command::kind::request) seen_.reached(situation::request_disconnected);
        return;
    }
    if (code == "timeout" && c.hurried) {
        seen_.reached(publish ? situation::publish_timed_out : situation::request_timed_out);
        if (publish && seen_.knows(c.payload)) seen_.reached(situation::kept_but_unanswered);
        return;
    }
    if (code == "forbidden" && publish && !seen_.options_of(c.channel).client_publish) {
        seen_.reached(situation::forbidden_refused);
        return seen_.refused(c.payload);
    }
    // One that was sent twice may have been taken before the permission ended.
    if (code == "forbidden" && tokens_ && may_lack(c.channel))
        return publish && c.sent == 1 ? seen_.refused(c.payload) : void();
    if (c.what == command::kind::publish && is_refused_for_state(c, code)) return;
    const bool stored = c.what == command::kind::publish && seen_.is_durable(c.channel);
    if (stored && seen_.has_disk_failed() && (code == "storage_failed" || code == "storage_full")) {
        seen_.reached(code == "storage_full" ? situation::disk_full : situation::disk_failed);
        // A publish that was sent twice may be taken another time.
        return c.sent == 1 ? seen_.left_in_doubt(c.channel, c.payload) : void();
    }
    blame("failed without need, " + std::string(code) + ": " + c.payload + " " + line_);
}

// --- what became of it ---

bool peer::listed_in(const std::string& channel) const {
    for (const auto& [id, s] : subscriptions_)
        if (s.channel == channel && s.listed) return true;
    return false;
}

bool peer::converged() const {
    if (time_.now() < thaws_ || machine_.current() != client::state::open || !commands_.empty()) return false;
    return std::all_of(subscriptions_.begin(), subscriptions_.end(), [&](const auto& s) {
        const state_view& state = s.second.state;
        return s.second.live && !state.begins && !state.broken &&
               seen_.is_complete(session_, s.second.channel, s.second.seen);
    });
}

void peer::check_converged() {
    if (machine_.current() != client::state::open) blame("is not open");
    for (const auto& [id, c] : commands_) blame("no answer to " + std::to_string(id) + " " + c.payload);
    for (const auto& [id, s] : subscriptions_) {
        if (!s.live) blame("is not subscribed to " + s.channel);
        if (s.state.begins || s.state.broken) blame("has no state of " + s.channel);
        seen_.complete(session_, s.channel, s.seen);
        if (s.state.wanted) check_state(s);
    }
}

void peer::check_presence(const std::function<names(const std::string&)>& present) {
    const auto check = [&](const std::string& channel, const names& members) {
        if (members == present(channel)) return;
        blame(
            "takes for present in " + channel + ": " + joined(members) + "and not " + joined(present(channel))
        );
    };
    for (const auto& [id, s] : subscriptions_)
        if (s.presence) check(s.channel, s.members);
    for (const auto& [channel, members] : asked_) check(channel, members);
    asked_.clear();
}

}  // namespace pulsewire::sim
