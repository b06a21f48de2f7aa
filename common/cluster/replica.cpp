#include "common/cluster/replica.hpp"

#include "common/base/overloaded.hpp"
#include "common/base/random.hpp"

#include <algorithm>
#include <utility>

namespace pulsewire::cluster {
namespace {

// The incarnation of a broker that the operator vouches for.
constexpr std::string_view durable = "durable";
// Bytes of a record that its operations may not have.
constexpr std::size_t head_bytes = 256;

}  // namespace

replica::replica(replica_options options)
    : options_(std::move(options)),
      random_(options_.seed),
      predecessor_(options_.predecessor),
      queue_(options_.queue_count_max, options_.queue_bytes_max),
      appender_(options_.window_records, options_.resend_ms, options_.resends_max),
      checkpoint_(options_.image_chunk_bytes) {
    begin_new_process();
}

void replica::begin_new_process() {
    do process_ = next_random(random_);
    while (process_ == 0);
}

// --- the connection ---

void replica::send(std::string bytes, std::int64_t now_ms, replica_output& out) {
    own_ms_ = now_ms;
    out.broker.push_back({options_.partition, append_record{connection_.number, std::move(bytes)}});
}

void replica::open(std::int64_t now_ms, replica_output& out) {
    ++connection_.number;
    connection_.heard_ms = now_ms;
    connection_.hello_sent = false;
    up_ = false;
    checkpoint_.give_up();
    phase_ = phase::opening;
    out.broker.push_back({options_.partition, open_log{connection_.number, at_}});
}

void replica::stop_serving(std::string reason, replica_output& out) {
    if (std::exchange(up_, false))
        out.events.emplace_back(degraded{std::move(reason)});
    else
        out.events.emplace_back(still_away{std::move(reason)});
}

void replica::close(std::string reason, std::int64_t now_ms, replica_output& out) {
    if (phase_ == phase::away || phase_ == phase::stopped) return;
    out.broker.push_back({options_.partition, close_log{connection_.number}});
    stop_serving(std::move(reason), out);
    checkpoint_.give_up();
    phase_ = stopping_ ? phase::stopped : phase::away;
    const auto half = static_cast<std::uint32_t>(options_.reconnect_ms / 2);
    connection_.retry_ms = now_ms + half + static_cast<std::int64_t>(next_random(random_, half + 1));
}

void replica::stand_back(std::string reason, replica_output& out) {
    close(reason, 0, out);
    phase_ = phase::stopped;
    out.events.emplace_back(standing_back{std::move(reason)});
}

void replica::on(const from_broker& what, const hub::instant& now, replica_output& out) {
    if (phase_ == phase::away || phase_ == phase::stopped) return;
    const auto is_current = [&](log_connection number) { return number == connection_.number; };
    std::visit(
        overloaded{
            [&](const opened& o) {
                if (is_current(o.connection) && phase_ == phase::opening) on_opened(o, now, out);
            },
            [&](const record_read& r) {
                if (is_current(r.connection)) on_record(r, now, out);
            },
            [&](const appended& a) {
                if (!is_current(a.connection)) return;
                connection_.heard_ms = now.monotonic_ms;
                appender_.kept(a.records);
                release_answers(out);
            },
            [&](const closed& c) {
                if (is_current(c.connection)) close(c.reason, now.monotonic_ms, out);
            },
        },
        what.what
    );
}

void replica::on_opened(const opened& o, const hub::instant& now, replica_output& out) {
    connection_.heard_ms = now.monotonic_ms;
    connection_.first = o.first;
    connection_.last = o.last;
    connection_.incarnation = o.incarnation;
    if (state_ != nullptr && at_ != mark{}) {
        // The log must still have the last record that this copy knows (S8).
        if (o.last < at_) return lose_prefix(now.monotonic_ms, out);
        if (o.first > at_) return lose_place(now.monotonic_ms, out);
        phase_ = phase::verifying;
        return;
    }
    const bool is_empty = o.last == mark{};
    state_.reset();
    if (is_empty || (genesis_ != mark{} && genesis_ == o.first)) {
        state_ = std::make_unique<partition_state>(options_.rules, options_.local, options_.level_max);
        phase_ = phase::reading;
        if (is_empty) say_hello(now, out);
        return;
    }
    images_ = image_collector(image_limit_);
    phase_ = phase::scanning;
}

void replica::on_record(const record_read& r, const hub::instant& now, replica_output& out) {
    connection_.heard_ms = now.monotonic_ms;
    if (phase_ == phase::scanning) return scan(r, now, out);
    if (phase_ == phase::verifying) {
        if (!is_last_known(r)) return lose_prefix(now.monotonic_ms, out);
        phase_ = phase::reading;
    } else if (phase_ == phase::reading) {
        if (r.at <= at_) return close("The broker's adapter reported a record twice.", now.monotonic_ms, out);
        apply(r, now, out);
    }
    if (phase_ == phase::reading && !connection_.hello_sent && at_ >= connection_.last) say_hello(now, out);
}

// Without a copy, the log is looked through. The newest image is taken as the copy, and read on from as one
// that was always there. A log without an image is read from its first record, if nothing before that was
// trimmed: then it is the hello of a node that saw the log empty. (A log with images may begin with a late
// copy of such a hello.)
void replica::scan(const record_read& r, const hub::instant& now, replica_output& out) {
    if (r.at == connection_.first) {
        const auto first = decode(r.bytes);
        const hello* const h = first ? std::get_if<hello>(&first->body) : nullptr;
        genesis_ = h != nullptr && h->log_was_empty ? r.at : mark{};
        begins_foreign_ = !first && first.error() == record_error::foreign;
    }
    images_.read(r.bytes);
    if (r.at < connection_.last) return;
    const std::optional<whole_image> image = std::exchange(images_.best(), std::nullopt);
    if (!image && genesis_ != mark{}) return open(now.monotonic_ms, out);
    genesis_ = {};
    if (image && image->at_mark >= connection_.first)
        state_ =
            partition_state::from_image(image->bytes, options_.rules, options_.local, options_.level_max);
    if (state_ == nullptr || !(state_->chain().base() == image->at)) {
        state_.reset();
        image_limit_ = image ? image->at.position - 1 : UINT64_MAX;
        return close(why_no_image(), now.monotonic_ms, out);
    }
    at_ = image->at_mark;
    image_position_ = image->at.position;
    open(now.monotonic_ms, out);
}

std::string replica::why_no_image() const {
    if (!begins_foreign_) return "The log was trimmed and has no checkpoint that can be read.";
    return "The log of partition " + std::to_string(options_.partition) +
           " begins with a record that no Pulsewire wrote, and only Pulsewire may write to it: delete it "
           "while no server runs, or give all servers another broker_prefix.";
}

void replica::say_hello(const hub::instant& now, replica_output& out) {
    if (!options_agree(out)) return;
    connection_.hello_sent = true;
    appender_.connect(process_, connection_.number);
    silence_.forget();
    hello h;
    h.level_max = options_.level_max;
    h.log_was_empty = connection_.last == mark{};
    auto text = std::make_shared<std::string>(
        connection_.incarnation ? *connection_.incarnation
                                : std::string(options_.broker_is_durable ? durable : "")
    );
    h.incarnation_told =
        (connection_.incarnation || options_.broker_is_durable) && text->size() <= incarnation_bytes_max;
    if (!h.incarnation_told) text->clear();
    h.incarnation = *text;
    post({h, std::move(text)}, now, out);
}

bool replica::options_agree(replica_output& out) {
    const auto& theirs = state_->channels().options();
    if (!theirs || options_agree_) return true;
    options_agree_ = theirs->agrees_with(options_.shared);
    if (options_agree_) return true;
    stand_back(
        "The options of namespaces or limits in this node's configuration differ from those of the cluster: "
        "give all nodes the same.",
        out
    );
    return false;
}

// --- the copy ---

bool replica::is_last_known(const record_read& r) const {
    const log_chain& chain = state_->chain();
    const log_point* const before = chain.at(chain.position() - 1);
    return r.at == at_ && before != nullptr && chained(before->chain, r.bytes) == chain.newest().chain;
}

void replica::lose_copy(replica_output& out) {
    state_.reset();
    at_ = {};
    genesis_ = {};
    options_agree_ = false;
    image_position_ = 0;
    never_served_ = true;
    fresh_ms_ = INT64_MIN;
    out.events.emplace_back(copy_lost{});
}

// The log does not continue the copy: its tail is lost.
void replica::lose_prefix(std::int64_t now_ms, replica_output& out) {
    const log_base known = state_->chain().base();
    if (!never_served_ && !proof_) proof_ = known;
    // An image that is not of this log; an older one may be.
    if (image_position_ == known.position) image_limit_ = known.position - 1;
    refuse_waiting(out);
    lose_copy(out);
    open(now_ms, out);
}

// The log does not reach back to what the copy knows: this process cannot vouch for anything any more (S8).
void replica::lose_place(std::int64_t now_ms, replica_output& out) {
    proof_.reset();
    refuse_waiting(out);
    lose_copy(out);
    predecessor_ = process_;
    begin_new_process();
    open(now_ms, out);
}

// The copy is not what another node made of the same records. Which of the two is wrong cannot be known here,
// so this node does not go on with what it has: the newest checkpoint says what is true (S14). Who differs
// from that begins with it, so all come to one state. What was shown stays this process's proof until its
// next hello was read back (S8).
void replica::read_anew(const hub::instant& now, replica_output& out) {
    reread_ms_ = now.monotonic_ms + options_.reread_ms;
    if (!proof_) proof_ = state_->chain().base();
    stop_serving("This node's copy differs from another's, and is read anew.", out);
    refuse_waiting(out);
    lose_copy(out);
    open(now.monotonic_ms, out);
}

void replica::apply(const record_read& r, const hub::instant& now, replica_output& out) {
    effects_.clear();
    const applied a = state_->apply(r.bytes, effects_);
    if (a.what == verdict::newer)
        return stand_back("The log was written by a newer version of Pulsewire: update this node.", out);
    at_ = r.at;
    for (const effect& e : effects_) {
        const renewed* const names = std::get_if<renewed>(&e);
        if (names == nullptr) continue;
        out.events.emplace_back(restated{names->before, state_->epoch(), names->renewals});
        for (answer& waiting : answers_) {
            accepted* const was = std::get_if<accepted>(&waiting.outcome);
            if (was != nullptr && was->epoch.log == names->before) was->epoch.log = state_->epoch();
        }
    }
    if (a.what == verdict::counted) {
        take_own(a, effects_);
        if (a.process == process_ && a.connection == connection_.number) {
            fresh_ms_ = std::max(fresh_ms_, a.written_ms);
            own_ms_ = now.monotonic_ms;
            silence_.own_record(state_->processes(), process_, now.monotonic_ms);
            if (a.seq == 1) come_up(now, out);
        }
    }
    const bool wrong = std::any_of(effects_.begin(), effects_.end(), [&](const effect& e) {
        const digest_differs* const d = std::get_if<digest_differs>(&e);
        return d != nullptr && (d->at_checkpoint || now.monotonic_ms >= reread_ms_);
    });
    if (serves())
        for (effect& e : effects_)
            if (!std::holds_alternative<renewed>(e)) out.events.emplace_back(shown{std::move(e)});
    release_answers(out);
    if (!is_alive() && (up_ || state_->processes().has_ended(process_))) {
        // Its own end: of another's word, or planned (S9).
        go_again(appender_.take_all());
        begin_new_process();
        close(
            stopping_ ? "The node stops." : "This node was taken for dead by the others.", now.monotonic_ms,
            out
        );
        connection_.retry_ms = now.monotonic_ms;
    } else if (up_ && wrong && !stopping_) {
        read_anew(now, out);
    } else if (up_) {
        options_agree(out);
    }
}

// The outcomes of a record of this node that counted.
void replica::take_own(const applied& a, const std::vector<effect>& effects) {
    auto own = appender_.read_back(a.process, a.connection, a.seq);
    if (!own) return;
    const auto answer_with = [&](std::uint32_t index, auto outcome) {
        if (index >= own->commands.size()) return;
        command& asked = own->commands[index];
        if (asked.id == 0 || asked.expired) return;
        outcome.id = asked.id;
        answers_.push_back({own->connection, own->attempt, std::move(asked), std::move(outcome)});
    };
    for (const effect& e : effects) {
        if (const published* const p = std::get_if<published>(&e))
            answer_with(p->operation, accepted{0, p->epoch, p->what->offset, false});
        else if (const repeated* const known = std::get_if<repeated>(&e))
            answer_with(known->operation, accepted{0, known->epoch, known->offset, true});
        else if (const refused* const no = std::get_if<refused>(&e))
            answer_with(no->operation, not_accepted{0, no->why, no->offset});
        else if (const passed* const by = std::get_if<passed>(&e))
            answer_with(by->operation, accepted{});
        else if (const noted* const word = std::get_if<noted>(&e))
            answer_with(word->operation, accepted{});
    }
}

// The own hello was read back.
void replica::come_up(const hub::instant& now, replica_output& out) {
    up_ = true;
    never_served_ = false;
    said_predecessor_ = said_level_ = false;
    proof_.reset();
    image_limit_ = UINT64_MAX;
    // What earlier connections sent and did not count never will (S4).
    go_again(appender_.take_earlier());
    queue_.take_if([](const command& c) { return !c.publishes; });
    for (std::string& bytes : members_.differences(state_->channels(), process_))
        queue_member(std::move(bytes), now.monotonic_ms);
    if (!state_->channels().options()) {
        auto text = std::make_shared<const std::string>(encode(options_.shared));
        const options_record options{*text};
        post({options, std::move(text)}, now, out);
    }
    // Nodes do not all begin a checkpoint at once.
    checkpoint_ms_ = now.monotonic_ms + static_cast<std::int64_t>(next_random(random_, 5'000));
    if (!stopping_) out.events.emplace_back(serving{});
}

fit replica::judge(std::string_view channel, naming epoch, std::uint64_t offset, std::int64_t came_ms) const {
    if (!serves()) return fit::wait;
    const shared_channel* const c = state_->channels().find(channel);
    const std::uint64_t head = c == nullptr ? 0 : c->head();
    if (epoch == naming::present && offset <= head) {
        const bool all_is_kept =
            c == nullptr || offset + 1 >= c->oldest_since(state_->kept_since_ms(channel));
        return all_is_kept ? fit::fits : fit::expired;
    }
    // Only an own record that was written later shows that the copy is not merely behind (S12).
    return fresh_ms_ > came_ms ? fit::epoch_changed : fit::wait;
}

// --- appending ---

what_was_read replica::read_so_far() const {
    return {!up_ && proof_ ? *proof_ : state_->chain().base(), state_->chain().newest().digest};
}

void replica::post(owned_body what, const hub::instant& now, replica_output& out) {
    send(appender_.append(std::move(what), read_so_far(), now), now.monotonic_ms, out);
}

void replica::queue_member(std::string bytes, std::int64_t now_ms) {
    command c;
    c.since_ms = now_ms;
    c.bytes = std::move(bytes);
    queue_.push_always(std::move(c));
}

void replica::publish(command_id id, publish_op p, const hub::instant& now, replica_output& out) {
    if (state_ != nullptr) p.accepted_ms = state_->processes().log_ms();
    command c;
    c.id = id;
    c.publishes = true;
    c.bytes = encode(operation(p));
    ask(std::move(c), now, out);
}

void replica::note(command_id id, const note_op& n, const hub::instant& now, replica_output& out) {
    command c;
    c.id = id;
    c.publishes = true;
    c.bytes = encode(operation(n));
    ask(std::move(c), now, out);
}

void replica::ask(command&& c, const hub::instant& now, replica_output& out) {
    c.since_ms = now.monotonic_ms;
    const command_id id = c.id;
    const bool can_wait = state_ != nullptr && !stopping_ && phase_ != phase::stopped;
    if (can_wait && c.bytes.size() <= record_bytes_max - head_bytes && queue_.push(std::move(c)))
        pump(now, out);
    else
        out.events.emplace_back(unavailable{id});
}

void replica::join(const join_op& j, const hub::instant& now, replica_output& out) {
    members_.join(j);
    if (!serves() || stopping_) return;  // said when the copy serves
    queue_member(encode(operation(j)), now.monotonic_ms);
    pump(now, out);
}

void replica::part(const part_op& p, const hub::instant& now, replica_output& out) {
    members_.part(p);
    if (!serves() || stopping_) return;
    queue_member(encode(operation(p)), now.monotonic_ms);
    pump(now, out);
}

void replica::pump(const hub::instant& now, replica_output& out) {
    if (!serves() || stopping_) return;
    while (appender_.has_room() && !queue_.empty()) {
        std::vector<command> commands = queue_.take(record_bytes_max - head_bytes, operations_max);
        send(appender_.append(std::move(commands), read_so_far(), now), now.monotonic_ms, out);
    }
    while (appender_.has_room() && checkpoint_.is_writing()) post(checkpoint_.next_chunk(), now, out);
}

// Publishes that did not count, to the front of the queue in their order. Members are said anew in any case.
void replica::go_again(std::vector<appender::sent_record> records) {
    for (auto r = records.rbegin(); r != records.rend(); ++r)
        for (auto c = r->commands.rbegin(); c != r->commands.rend(); ++c)
            if (c->publishes && !c->expired) queue_.put_back(std::move(*c));
}

// The copy is about to be read anew: nobody will know which publishes counted, and the log time of their
// acceptance is that of a log that may be lost, so whether they come too late could not be judged either
// (S10).
void replica::refuse_waiting(replica_output& out) {
    const auto refuse = [&](const command& c) {
        if (c.publishes && !c.expired && c.id != 0) out.events.emplace_back(unavailable{c.id});
    };
    for (const answer& a : answers_) refuse(a.asked);
    answers_.clear();
    for (const appender::sent_record& r : appender_.take_all())
        for (const command& c : r.commands) refuse(c);
    for (const command& c : queue_.take_if([](const command&) { return true; })) refuse(c);
}

void replica::release_answers(replica_output& out) {
    while (up_ && !answers_.empty()) {
        answer& a = answers_.front();
        if (options_.waits_for_broker && !appender_.is_kept(a.connection, a.attempt)) return;
        out.events.emplace_back(std::move(a.outcome));
        answers_.pop_front();
    }
}

void replica::expire(std::int64_t now_ms, replica_output& out) {
    const auto is_old = [&](const command& c) { return now_ms - c.since_ms >= options_.queue_ms; };
    if (queue_.has_expired(now_ms, options_.queue_ms)) {
        for (const command& c : queue_.take_if([&](const command& q) { return q.publishes && is_old(q); }))
            if (c.id != 0) out.events.emplace_back(unavailable{c.id});
    }
    // Those on their way may have their effect yet; nobody waits for them any longer.
    appender_.each_command([&](command& c) {
        if (!c.publishes || c.expired || !is_old(c)) return;
        c.expired = true;
        if (c.id != 0) out.events.emplace_back(unavailable{c.id});
    });
    while (!answers_.empty() && is_old(answers_.front().asked)) {
        out.events.emplace_back(unavailable{answers_.front().asked.id});
        answers_.pop_front();
    }
}

void replica::stop(const hub::instant& now, replica_output& out) {
    if (stopping_ || phase_ == phase::stopped) return;
    stopping_ = true;
    for (const command& c : queue_.take_if([](const command&) { return true; }))
        if (c.id != 0) out.events.emplace_back(unavailable{c.id});
    checkpoint_.give_up();
    if (serves())
        post({bye{}}, now, out);
    else
        close("The node stops.", now.monotonic_ms, out);
}

// --- chores ---

void replica::on_time(const hub::instant& now, replica_output& out) {
    const std::int64_t now_ms = now.monotonic_ms;
    expire(now_ms, out);
    if (phase_ == phase::stopped) return;
    if (phase_ == phase::away) {
        if (now_ms >= connection_.retry_ms) open(now_ms, out);
        return;
    }
    if (!connection_.hello_sent) {
        if (now_ms - connection_.heard_ms >= options_.connect_ms)
            close("The broker does not answer.", now_ms, out);
        return;
    }
    if (appender_.is_late(now_ms)) {
        // A hello whose proof is too old is void for ever.
        if (!up_ && proof_ && proof_->position + options_.rules.base_age_max < state_->chain().position())
            return lose_place(now_ms, out);
        if (appender_.is_stuck()) return close("The broker does not take what is appended.", now_ms, out);
        for (std::string& bytes : appender_.append_again(read_so_far(), now))
            send(std::move(bytes), now_ms, out);
    }
    if (serves() && !stopping_) do_chores(now, out);
}

void replica::do_chores(const hub::instant& now, replica_output& out) {
    const registry& processes = state_->processes();
    const life* const before = processes.find(predecessor_);
    if (before != nullptr && !said_predecessor_ && appender_.has_room()) {
        said_predecessor_ = true;
        post({end{predecessor_, before->last}}, now, out);
    }
    if (processes.common_level() > state_->level() && (!said_level_ || appender_.empty()) &&
        appender_.has_room()) {
        said_level_ = true;
        post({level_record{processes.common_level()}}, now, out);
    }
    if (appender_.empty() && now.monotonic_ms - own_ms_ >= options_.sign_ms) post({sign{}}, now, out);
    if (appender_.has_room())
        if (const auto gone = silence_.next(processes, now.monotonic_ms)) post({*gone}, now, out);
    if (now.monotonic_ms >= checkpoint_ms_) write_checkpoint();
    trim(out);
    pump(now, out);
}

void replica::write_checkpoint() {
    const std::uint64_t due = std::max(options_.rules.checkpoint_bytes, checkpoint_.image_bytes());
    if (checkpoint_.is_writing() || state_->checkpoint_begun() || state_->bytes_since_checkpoint() < due)
        return;
    // An image that is too large today is hardly smaller tomorrow; the log grows until somebody looks at it.
    if (!checkpoint_.begin(*state_, at_)) checkpoint_ms_ = INT64_MAX;
}

void replica::trim(replica_output& out) {
    const std::vector<checkpoint>& whole = state_->checkpoints();
    if (whole.size() < 2 || whole.front().at_mark <= trimmed_) return;
    if (state_->chain().newest().bytes - whole.back().end_bytes < options_.rules.trim_bytes) return;
    if (state_->processes().log_ms() - whole.back().end_log_ms < options_.rules.trim_ms) return;
    trimmed_ = whole.front().at_mark;
    out.broker.push_back({options_.partition, trim_log{connection_.number, trimmed_}});
}

}  // namespace pulsewire::cluster
