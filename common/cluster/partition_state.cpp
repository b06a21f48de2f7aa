#include "common/cluster/partition_state.hpp"

#include "common/base/overloaded.hpp"

#include <algorithm>
#include <utility>

namespace pulsewire::cluster {

partition_state::partition_state(const log_rules& rules, const hash_key& local, std::uint16_t level_max)
    : rules_(rules),
      level_max_(level_max),
      // A base may be base_age_max before the record that stands before the one that is judged.
      chain_(rules.base_age_max + 1),
      processes_(rules.clock_step_max_ms),
      channels_(local) {}

std::uint64_t partition_state::bytes_since_checkpoint() const {
    return chain_.newest().bytes - (checkpoints_.empty() ? 0 : checkpoints_.back().end_bytes);
}

std::int64_t partition_state::kept_since_ms(std::string_view channel) const {
    const auto& options = channels_.options();
    return processes_.log_ms() - (options ? options->of(channel).history_age_ms : 0);
}

applied partition_state::apply(std::string_view bytes, std::vector<effect>& effects) {
    const auto r = decode(bytes);
    applied done;
    if (r) done = {verdict::void_, r->process, r->connection, r->seq, r->clock.monotonic_ms};
    const level_record* const raised = r ? std::get_if<level_record>(&r->body) : nullptr;
    const bool unknown =
        !r && (r.error() == record_error::newer_format || r.error() == record_error::newer_kind);
    if (unknown || (raised != nullptr && raised->level > level_max_)) {
        done.what = verdict::newer;
        return done;
    }
    const std::size_t before = effects.size();
    chain_.append(bytes);
    if (chain_.position() > rules_.base_age_max)
        processes_.forget_ended_before(chain_.position() - rules_.base_age_max);
    const bool counted = r && judge(*r, effects);
    if (counted) {
        channels_.forget_old(epoch_, processes_.log_ms(), effects);
        notes_.forget_old(processes_.log_ms());
    }
    chain_.note(counted ? 1 : 0);
    chain_.note(static_cast<std::uint64_t>(processes_.log_ms()));
    for (std::size_t i = before; i < effects.size(); ++i) note(effects[i]);
    if (counted) done.what = verdict::counted;
    return done;
}

// Judges a record at the newest position.
bool partition_state::judge(const record& r, std::vector<effect>& effects) {
    const std::uint64_t position = chain_.position();
    if (r.base.position + 1 + rules_.base_age_max < position) return false;
    const bool base_fits = r.base.position < position && chain_.has(r.base);
    if (const hello* const h = std::get_if<hello>(&r.body)) return judge_hello(r, *h, base_fits, effects);
    if (!processes_.continues(r)) return false;
    const life writer = processes_.advance(r, position);
    if (!base_fits) renew(renewal::record, effects);
    act(r, writer, effects);
    return true;
}

bool partition_state::judge_hello(
    const record& r, const hello& h, bool base_fits, std::vector<effect>& effects
) {
    if (!processes_.may_begin(r) || h.level_max < level_) return false;
    processes_.begin(r, h, chain_.position());
    partial_.erase(r.process);
    const bool trusted = h.incarnation_told && incarnation_told_ && h.incarnation == incarnation_;
    incarnation_told_ = h.incarnation_told;
    incarnation_ = h.incarnation;
    if (!base_fits)
        renew(renewal::lost, effects);
    else if (!trusted)
        renew(renewal::untrusted, effects);
    return true;
}

void partition_state::act(const record& r, const life& writer, std::vector<effect>& effects) {
    const std::int64_t log_ms = processes_.log_ms();
    std::visit(
        overloaded{
            [](const hello&) {},
            [&](const operations& o) {
                const std::int64_t time_ms =
                    std::min(r.clock.wall_ms, writer.wall_ms + rules_.clock_step_max_ms);
                std::uint32_t index = 0;
                for (const operation& op : o.all) {
                    std::visit(
                        overloaded{
                            [&](const publish_op& p) {
                                if (!p.transient)
                                    return channels_.publish(
                                        p, index, {epoch_, renewals_}, log_ms, time_ms, effects
                                    );
                                auto what = std::make_shared<publication>();
                                what->time_ms = time_ms;
                                what->log_ms = log_ms;
                                what->bytes = p.encoded;
                                effects.emplace_back(passed{index, std::move(what)});
                            },
                            [&](const join_op& j) { channels_.join(r.process, j, log_ms, effects); },
                            [&](const part_op& p) { channels_.part(r.process, p, log_ms, effects); },
                            [&](const note_op& n) {
                                if (n.keep) notes_.add(n.bytes, log_ms);
                                effects.emplace_back(noted{index, r.process, n.to, std::string(n.bytes)});
                            },
                        },
                        op
                    );
                    ++index;
                }
            },
            [&](const sign& s) {
                const log_point* const base = chain_.has(r.base) ? chain_.at(r.base.position) : nullptr;
                if (base != nullptr && base->digest != s.digest)
                    effects.emplace_back(digest_differs{r.process, false});
            },
            [&](const end& e) {
                // Otherwise the verdict is stale: its author had not read all that the process wrote.
                const life* const gone = processes_.find(e.who);
                if (gone != nullptr && gone->last == e.last) remove(e.who, effects);
            },
            [&](const bye&) { remove(r.process, effects); },
            [&](const image_chunk& c) { take_chunk(r.process, c, effects); },
            [&](const options_record& o) {
                const auto options = decode_options(o.bytes);
                if (options && !channels_.options()) channels_.set_options(*options);
            },
            [&](const level_record& l) {
                if (l.level > level_ && l.level <= processes_.common_level()) level_ = l.level;
            },
        },
        r.body
    );
}

void partition_state::take_chunk(process_id from, const image_chunk& c, std::vector<effect>& effects) {
    if (c.index == 0) {
        partial_.erase(from);
        if (!chain_.has(c.at)) return;
        partial_[from] = {c.at, c.at_mark, chain_.at(c.at.position)->bytes, 0, c.count};
    }
    const auto found = partial_.find(from);
    if (found == partial_.end()) return;
    partial_checkpoint& p = found->second;
    if (!(p.at == c.at) || p.next != c.index || p.count != c.count) {
        partial_.erase(found);
        return;
    }
    if (++p.next < p.count) return;
    const partial_checkpoint whole = p;
    partial_.erase(found);
    const log_point* const here = chain_.at(whole.at.position);
    if (here != nullptr && here->digest != c.digest) effects.emplace_back(digest_differs{from, true});
    if (!checkpoints_.empty() && whole.at_bytes < checkpoints_.back().end_bytes + rules_.checkpoint_bytes / 2)
        return;
    checkpoints_.push_back(
        {whole.at, whole.at_mark, whole.at_bytes, chain_.position(), chain_.newest().bytes,
         processes_.log_ms()}
    );
    if (checkpoints_.size() > 2) checkpoints_.erase(checkpoints_.begin());
}

void partition_state::renew(renewal why, std::vector<effect>& effects) {
    const fingerprint before = epoch_;
    // Drawn, in effect, by everything that ever was in the log: two logs never renew to the same.
    epoch_ = chain_.newest().chain;
    effects.emplace_back(renewed{before, ++renewals_, why});
}

void partition_state::remove(process_id p, std::vector<effect>& effects) {
    processes_.end(p, chain_.position());
    partial_.erase(p);
    channels_.part_all(p, processes_.log_ms(), effects);
    effects.emplace_back(process_ended{p});
}

void partition_state::note(const effect& e) {
    // Whose digest differs is no part of the state.
    if (std::holds_alternative<digest_differs>(e)) return;
    chain_.note(e.index());
    std::visit(
        overloaded{
            [&](const published& p) {
                chain_.note(p.what->offset);
                chain_.note(static_cast<std::uint64_t>(p.what->time_ms));
            },
            [&](const repeated& p) { chain_.note(p.offset); },
            [&](const refused& p) { chain_.note(static_cast<std::uint64_t>(p.why)); },
            [&](const passed& p) { chain_.note(static_cast<std::uint64_t>(p.what->time_ms)); },
            [&](const noted& n) { chain_.note(n.bytes.size()); },
            [&](const member_came& m) { chain_.note(m.session.size()); },
            [&](const member_gone& m) { chain_.note(m.session.size()); },
            [&](const channel_forgotten& c) { chain_.note(c.epoch.generation); },
            [&](const renewed&) { chain_.note(epoch_.first); },
            [&](const process_ended& p) { chain_.note(p.process); },
            [&](const digest_differs&) {},
        },
        e
    );
}

std::string partition_state::image() const {
    std::string bytes;
    byte_writer w(bytes);
    w.u8(record_format);
    w.u16(level_);
    chain_.write(w);
    processes_.write(w);
    w.hash(epoch_);
    w.length(renewals_);
    w.u8(incarnation_told_ ? 1 : 0);
    w.text(incarnation_);
    w.length(checkpoints_.size());
    for (const checkpoint& c : checkpoints_) {
        write(w, c.at);
        write(w, c.at_mark);
        w.u64(c.at_bytes);
        w.u64(c.end);
        w.u64(c.end_bytes);
        w.i64(c.end_log_ms);
    }
    w.length(partial_.size());
    for (const auto& [process, p] : partial_) {
        w.u64(process);
        write(w, p.at);
        write(w, p.at_mark);
        w.u64(p.at_bytes);
        w.u32(p.next);
        w.u32(p.count);
    }
    channels_.write(w);
    notes_.write(w);
    return bytes;
}

std::unique_ptr<partition_state> partition_state::from_image(
    std::string_view bytes, const log_rules& rules, const hash_key& local, std::uint16_t level_max
) {
    auto found = std::make_unique<partition_state>(rules, local, level_max);
    byte_reader r(bytes);
    if (!found->read(r) || !r.at_end()) return nullptr;
    return found;
}

bool partition_state::read(byte_reader& r) {
    if (r.u8() != record_format) return false;
    level_ = r.u16();
    if (level_ == 0 || level_ > level_max_ || !chain_.read(r) || !processes_.read(r)) return false;
    epoch_ = r.hash();
    renewals_ = r.length();
    incarnation_told_ = r.u8() != 0;
    incarnation_ = r.text(incarnation_bytes_max);
    const std::uint64_t whole = r.length();
    if (whole > 2) return false;
    for (std::uint64_t i = 0; i < whole && r.ok(); ++i) {
        checkpoint& c = checkpoints_.emplace_back();
        c.at = read_base(r);
        c.at_mark = read_mark(r);
        c.at_bytes = r.u64();
        c.end = r.u64();
        c.end_bytes = r.u64();
        c.end_log_ms = r.i64();
    }
    for (std::uint64_t n = r.length(); n > 0 && r.ok(); --n) {
        partial_checkpoint& p = partial_[r.u64()];
        p.at = read_base(r);
        p.at_mark = read_mark(r);
        p.at_bytes = r.u64();
        p.next = r.u32();
        p.count = r.u32();
    }
    return r.ok() && channels_.read(r) && notes_.read(r);
}

}  // namespace pulsewire::cluster
