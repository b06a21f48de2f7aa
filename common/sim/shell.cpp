#include "common/sim/shell.hpp"

#include "common/exchange/message_text.hpp"

#include <algorithm>
#include <utility>

namespace pulsewire::sim {
namespace {

// Connections that get one message: from here on its line is joined once for all of them. Few, so that runs
// are frequent.
constexpr std::size_t many = 2;
constexpr std::int64_t write_timeout_ms = 10'000;
// The pieces that a queue counts and the hub did not send: gaps before publications.
constexpr std::size_t gap_bytes_max = 1'000;

}  // namespace

void shell::open(hub::connection_ref who, hub::face speaks) {
    outlets_.emplace(who.value, std::make_unique<outlet>(storage_, who, speaks));
}

outlet* shell::find(std::uint64_t connection) {
    const auto found = outlets_.find(connection);
    return found == outlets_.end() ? nullptr : found->second.get();
}

void shell::deliver(
    const hub::message_ptr& m, delivery::counts how, std::uint64_t audience, std::span<const std::uint64_t> to
) {
    for (const std::uint64_t id : to)
        if (outlet* o = find(id); o != nullptr && !o->ends) o->lines.sent(m, how);
    if (audience == 0 || how == delivery::counts::as_replay || to.size() < many) {
        if (audience != 0) fan_out_.forget(m->channel());
        for (const std::uint64_t id : to) {
            catch_up(id);
            if (outlet* o = find(id); o != nullptr && !o->ends) push(*o, m, how);
        }
        return;
    }
    if (const auto* excluded = fan_out_.extend(m, audience)) {
        if (excluded->size() < to.size()) seen_.reached(situation::run_grew);
        for (const std::uint64_t id : *excluded)
            if (outlet* o = find(id); o != nullptr && !o->ends) push(*o, m, how);
        return;
    }
    while (const auto next = fan_out_.next()) visit(*next, false);
    fan_out_.begin(m, audience, to);
    for (const std::uint64_t id : to)
        if (outlet* o = find(id); o != nullptr) o->is_collected_for = true;
    collects_ = true;
}

void shell::catch_up(std::uint64_t connection) {
    if (const auto waits = fan_out_.take(connection)) visit(*waits, false);
}

void shell::visit(const delivery::fan_out::visit& v, bool writes) {
    outlet* o = find(v.connection);
    if (o == nullptr) return;
    o->is_collected_for = false;
    if (o->ends) return;
    if (auto run = v.batch->run_for(o->queue)) {
        if (writes && !o->is_due && !o->is_blocked) return write_run(*o, std::move(run));
        o->queue.push_run(std::move(run));
        if (!std::exchange(o->is_due, true)) due_.push_back(v.connection);
        return;
    }
    // By index: a connection that is too slow makes the hub send more, and so the batch may grow meanwhile.
    for (std::size_t i = 0; i < v.batch->messages().size() && !o->ends; ++i)
        push(*o, v.batch->messages()[i], delivery::counts::as_live);
    fan_out_.exclude(v);
}

void shell::push(outlet& o, const hub::message_ptr& m, delivery::counts how) {
    if (m->takes_binary) o.queue.set_framing(delivery::framing::websocket_binary);
    o.queue.push_message(m, how);
    if (!o.is_blocked) {
        if (!std::exchange(o.is_due, true)) due_.push_back(o.who.value);
        return;
    }
    look_at_length(o);
}

// As the real shell: a queue that cannot be written and is too long ends its connection.
void shell::look_at_length(outlet& o) {
    const bool too_long = o.queue.overflows();
    count_drops();
    if (o.ends) return;
    // A batch that is partly written counts until it has left as a whole.
    if (!too_long && !o.is_collected_for &&
        o.lines.waiting_to_stay() > limits_.queue_bytes_max + limits_.batch_bytes_max + gap_bytes_max)
        seen_.blame("connection " + std::to_string(o.who.value) + " is slow, and not cut");
    if (!too_long) return;
    const std::size_t live = o.lines.waiting(delivery::counts::as_live) + gap_bytes_max;
    const std::size_t replayed = o.lines.waiting(delivery::counts::as_replay) + gap_bytes_max;
    if (live <= limits_.queue_bytes_max && replayed <= limits_.replay_bytes_max)
        seen_.blame("a connection is too slow, and its queue is short");
    seen_.reached(situation::closed_as_slow);
    o.lines.gives_up();
    (void)o.queue.drop_lines();
    const auto close = hub::make_close(close_code::slow_consumer, 0, "too slow");
    o.lines.sent(close, delivery::counts::as_live);
    o.queue.push_message(close);
    o.ends = close_code::slow_consumer;
    tell_.forget(o.who);
}

void shell::count_drops() {
    if (storage_.drops()[static_cast<std::size_t>(slow_consumer::drop_oldest)] != 0)
        seen_.reached(situation::oldest_dropped);
    if (storage_.drops()[static_cast<std::size_t>(slow_consumer::latest_per_key)] != 0)
        seen_.reached(situation::older_replaced);
    storage_.drops() = {};
}

void shell::end(std::uint64_t connection, close_code code) {
    catch_up(connection);
    outlet* o = find(connection);
    if (o == nullptr || o->ends) return;
    o->ends = code;
    if (!o->is_blocked && !std::exchange(o->is_due, true)) due_.push_back(connection);
}

void shell::end_turn() {
    while (const auto next = fan_out_.next()) visit(*next, true);
    collects_ = false;
    for (const std::uint64_t id : std::exchange(due_, {})) {
        outlet* o = find(id);
        if (o == nullptr) continue;
        o->is_due = false;
        if (!o->is_blocked) write(*o);
    }
    while (const auto next = fan_out_.next()) visit(*next, false);
    fan_out_.clear();
    collects_ = false;
}

void shell::writable(std::uint64_t connection) {
    outlet* o = find(connection);
    if (o == nullptr || !std::exchange(o->is_blocked, false)) return;
    if (!o->is_due) write(*o);
}

std::size_t shell::send(outlet& o, std::string&& bytes) {
    const std::size_t taken = tell_.takes(o.who, bytes.size());
    if (taken == 0) return 0;
    o.blocked_since_ms = time_.now();
    bytes.resize(taken);
    o.leave(bytes, [&](std::string_view lines) {
        check(o, lines);
        if (lines.ends_with('\n')) lines.remove_suffix(1);
        tell_.says(o.who, lines);
    });
    return taken;
}

void shell::check(outlet& o, std::string_view lines) {
    while (!lines.empty()) {
        const std::string_view line = lines.substr(0, lines.find('\n'));
        lines.remove_prefix(std::min(lines.size(), line.size() + 1));
        if (seen_.heard() && o.blocked_before)
            seen_.tell("connection " + std::to_string(o.who.value), "<- " + std::string(line));
        if (line.starts_with(R"({"op":"gap")")) seen_.reached(situation::gap_told);
        if (const std::string wrong = o.lines.left(line); !wrong.empty())
            seen_.blame(
                "connection " + std::to_string(o.who.value) + ": " + wrong + ": " + std::string(line)
            );
    }
}

void shell::write(outlet& o) {
    delivery::parts next;
    bool blocked = false;
    while (!blocked && o.queue.next_parts(next)) {
        std::string bytes;
        for (std::size_t i = 0; i < next.count; ++i) bytes.append(next.all[i].data, next.all[i].size);
        const std::size_t taken = send(o, std::move(bytes));
        o.queue.taken(taken);
        blocked = taken < next.bytes;
    }
    settle(o, blocked);
}

void shell::write_run(outlet& o, std::shared_ptr<delivery::line_run>&& run) {
    const std::string* whole = o.queue.whole_message(*run);
    if (whole == nullptr) {
        o.queue.push_run(std::move(run));
        return write(o);
    }
    seen_.reached(situation::run_written);
    const std::size_t taken = send(o, std::string(*whole));
    const bool blocked = taken < whole->size();
    if (blocked) o.queue.push_rest(std::move(run), taken);
    settle(o, blocked);
}

void shell::settle(outlet& o, bool blocked) {
    if (blocked) {
        o.queue.blocked();
        o.is_blocked = o.blocked_before = true;
        if (o.blocked_since_ms == 0) o.blocked_since_ms = time_.now();
        seen_.reached(situation::reader_blocked);
        look_at_length(o);
    } else {
        o.blocked_since_ms = 0;
        check_drained(o);
        if (o.ends) {
            const hub::connection_ref who = o.who;
            const close_code code = *o.ends;
            lost(who.value);
            return tell_.closed(who, code);
        }
    }
    if (!o.unread.empty() && o.queue.has_room()) tell_.read_on(o.who);
}

void shell::check_drained(outlet& o) {
    // The fan-out still has lines for it.
    if (o.is_collected_for) return;
    if (const std::string wrong = o.lines.drained(); !wrong.empty())
        seen_.blame("connection " + std::to_string(o.who.value) + ": " + wrong);
}

void shell::sweep() {
    std::vector<hub::connection_ref> stuck;
    for (const auto& [id, o] : outlets_)
        if (o->is_blocked && time_.now() - o->blocked_since_ms >= write_timeout_ms) stuck.push_back(o->who);
    for (const hub::connection_ref& who : stuck) {
        seen_.reached(situation::write_timed_out);
        lost(who.value);
        tell_.forget(who);
        tell_.closed(who, static_cast<close_code>(1006));
    }
}

void shell::drop_all(close_code code) {
    for (auto& [id, o] : std::exchange(outlets_, {})) tell_.closed(o->who, code);
}

}  // namespace pulsewire::sim
