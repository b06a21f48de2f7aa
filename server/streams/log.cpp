#include "server/streams/log.hpp"

#include "server/text.hpp"

#include <algorithm>
#include <limits>

namespace pulsewire::shell::streams {
namespace {

constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();
// Reads are written down once in this part of a life. For as long a stream lives longer after the last one,
// never shorter.
constexpr std::int64_t parts_of_life = 16;

std::int64_t life_of(const creation& c) {
    constexpr std::uint64_t seconds_max = std::uint64_t{1} << 40;
    return static_cast<std::int64_t>(std::min(c.ttl_s.value_or(0), seconds_max)) * 1'000;
}

bool same_type(std::string_view a, std::string_view b) {
    return media_type_of(a) == media_type_of(b);
}

}  // namespace

std::string media_type_of(std::string_view content_type) {
    std::string type(trimmed(content_type.substr(0, content_type.find(';'))));
    std::transform(type.begin(), type.end(), type.begin(), [](char c) { return lower(c); });
    return type;
}

bool is_text(std::string_view content_type) {
    const std::string type = media_type_of(content_type);
    return type.starts_with("text/") || type == "application/json";
}

std::int64_t log::ends_ms() const {
    if (made_.expires_ms != 0) return made_.expires_ms;
    return made_.ttl_s ? lives_until_ms_ : never;
}

bool log::read_counts(std::int64_t now_ms) const {
    return exists(now_ms) && made_.ttl_s && now_ms + life_of(made_) > lives_until_ms_;
}

void log::lives_on(std::int64_t time_ms, bool exactly) {
    const std::int64_t life = life_of(made_);
    lives_until_ms_ = std::max(lives_until_ms_, time_ms + life + (exactly ? 0 : life / parts_of_life));
}

void log::forget() {
    there_ = closed_ = false;
    order_.clear();
    producers_.clear();
    pieces_.clear();
}

std::span<const log::piece> log::after(std::uint64_t offset) const {
    const auto first = std::upper_bound(
        pieces_.begin(), pieces_.end(), offset, [](std::uint64_t o, const piece& p) { return o < p.offset; }
    );
    return {first, pieces_.end()};
}

outcome log::judge(const creation& c, std::int64_t now_ms) const {
    if (!exists(now_ms)) return made_of(verdict::none);
    const bool same = same_type(c.content_type, made_.content_type) && c.ttl_s == made_.ttl_s &&
                      c.expires_ms == made_.expires_ms && c.closed == closed_;
    return made_of(same ? verdict::same : verdict::differs);
}

outcome log::judge(const addition& a, bool has_data, std::string_view content_type, std::int64_t now_ms)
    const {
    if (!exists(now_ms) || (a.of != 0 && a.of != born_offset_)) return {verdict::none, 0, false, 0, 0};
    outcome o = made_of(verdict::taken);
    bool missing = false;
    if (a.by) {
        const auto known = producers_.find(a.by->id);
        const bool begins = known == producers_.end() || a.by->epoch > known->second.epoch;
        if (known != producers_.end()) {
            o.epoch = known->second.epoch;
            o.seq = known->second.seq;
            if (a.by->epoch < o.epoch) return o.what = verdict::fenced, o;
            if (!begins && a.by->seq <= o.seq) return o.what = verdict::repeated, o;
            if (begins && a.by->seq != 0) return o.what = verdict::late_start, o;
        }
        const std::uint64_t next = begins ? 0 : o.seq + 1;
        missing = a.by->seq != next;
        if (missing) o.seq = next;
    }
    if (closed_) {
        o.what = a.closed && !has_data && !a.by ? verdict::repeated : verdict::closed;
    } else if (has_data && !content_type.empty() && !same_type(content_type, made_.content_type)) {
        o.what = verdict::other_type;
    } else if (missing) {
        o.what = verdict::gap;
    } else if (!a.order.empty() && !order_.empty() && a.order <= order_) {
        o.what = verdict::out_of_order;
    }
    return o;
}

outcome log::apply(const hub::message_ptr& m) {
    head_ = std::max(head_, m->offset);
    auto r = read(*m);
    if (!r) return made_of(verdict::ignored);
    switch (r->kind) {
        case record_kind::create:
            return on_create(std::move(*r), m);
        case record_kind::append:
            return on_append(std::move(*r), m);
        case record_kind::read:
            if (exists(m->time_ms) && r->added.of == born_offset_) lives_on(m->time_ms, false);
            return made_of(verdict::ignored);
        case record_kind::remove:
        case record_kind::covered:
            if (!there_ || r->covers < born_offset_) return made_of(verdict::none);
            forget();
            return made_of(verdict::taken);
    }
    return {};
}

outcome log::on_create(record&& r, const hub::message_ptr& m) {
    if (outcome o = judge(r.made, m->time_ms); o.what != verdict::none) return o;
    forget();
    there_ = true;
    made_ = std::move(r.made);
    is_json_ = media_type_of(made_.content_type) == "application/json";
    closed_ = made_.closed;
    born_offset_ = tail_ = m->offset;
    born_ms_ = m->time_ms;
    lives_until_ms_ = 0;
    lives_on(m->time_ms, true);
    if (!r.data.empty()) pieces_.push_back({m->offset, r.data, m});
    return made_of(verdict::taken);
}

outcome log::on_append(record&& r, const hub::message_ptr& m) {
    const bool has_data = !r.data.empty();
    outcome o = judge(r.added, has_data, {}, m->time_ms);
    // What a client of the protocol published may be of the wrong kind.
    if (o.what == verdict::taken && has_data && m->binary == is_json_) o.what = verdict::other_type;
    if (o.what == verdict::taken && !has_data && !r.added.closed) o.what = verdict::ignored;
    if (o.what != verdict::taken) return o;
    if (has_data) pieces_.push_back({m->offset, r.data, m});
    if (r.added.by) {
        producers_[r.added.by->id] = {r.added.by->epoch, r.added.by->seq};
        o.epoch = r.added.by->epoch;
        o.seq = r.added.by->seq;
    }
    if (!r.added.order.empty()) order_ = std::move(r.added.order);
    closed_ = r.added.closed;
    lives_on(m->time_ms, true);
    o.offset = tail_ = m->offset;
    o.closed = closed_;
    return o;
}

}  // namespace pulsewire::shell::streams
