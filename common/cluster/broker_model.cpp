#include "common/cluster/broker_model.hpp"

#include "common/base/overloaded.hpp"
#include "common/base/random.hpp"

#include <algorithm>
#include <utility>

namespace pulsewire::cluster {

broker_model::broker_model(const broker_options& o)
    : options_(o), random_(o.seed), master_(std::make_shared<server>()) {}

bool broker_model::percent(std::uint32_t chance) {
    return chance > 0 && next_random(random_, 100) < chance;
}
std::int64_t broker_model::up_to(std::uint32_t ms_max) {
    return static_cast<std::int64_t>(next_random(random_, ms_max + 1));
}

void broker_model::on(node_number from, const to_broker& what, std::int64_t now_ms) {
    client& c = clients_[from];
    std::visit(
        overloaded{
            [&](const open_log& o) {
                c = {};
                c.connection = o.connection;
                c.from = o.from;
                c.opening = true;
            },
            [&](const append_record& a) {
                if (c.at != nullptr && a.connection == c.connection) append(from, c, a, now_ms);
            },
            [&](const trim_log& t) {
                if (c.at == nullptr || t.connection != c.connection) return;
                server& s = *c.at;
                while (s.trimmed < s.records.size() && s.records[s.trimmed].at < t.before) ++s.trimmed;
            },
            [&](const close_log& l) {
                if (l.connection == c.connection) c = {};
            },
        },
        what.what
    );
}

void broker_model::append(node_number from, client& c, const append_record& a, std::int64_t now_ms) {
    if (now_ms < full_until_ms_) return break_connection(c, "The broker is full.");
    const append_weather& w = options_.weather;
    in_flight one{
        now_ms + up_to(w.latency_ms_max),
        c.at,
        from,
        c.connection,
        ++c.appends,
        std::make_shared<const std::string>(a.bytes)};
    const bool lost = percent(w.lost);
    if (percent(w.late)) one.due_ms = now_ms + up_to(w.late_ms_max);
    if (percent(w.doubled)) {
        in_flight again = one;
        again.number = 0;
        again.due_ms = now_ms + up_to(w.late_ms_max);
        in_flight_.push_back(std::move(again));
    }
    if (!lost) in_flight_.push_back(std::move(one));
}

void broker_model::arrive(const in_flight& a, std::int64_t now_ms) {
    server& s = *a.to;
    mark at{s.records.empty() ? 1 : s.records.back().at.high + 1, 0};
    if (options_.marks_are_times) {
        at.high = std::max<std::uint64_t>(
            static_cast<std::uint64_t>(now_ms) + 1, s.records.empty() ? 0 : s.records.back().at.high
        );
        at.low = s.records.empty() || s.records.back().at.high < at.high ? 0 : s.records.back().at.low + 1;
    }
    s.records.push_back({at, now_ms, a.bytes});
    client& c = clients_[a.from];
    if (a.number == 0 || c.at != a.to || c.connection != a.connection) return;
    // Reported in the order in which they were appended: what arrives early waits for those before.
    c.arrived.push_back(a.number);
    for (auto next = c.arrived.end();
         (next = std::find(c.arrived.begin(), c.arrived.end(), c.kept + 1)) != c.arrived.end();) {
        c.arrived.erase(next);
        ++c.kept;
        ++c.to_report;
    }
}

void broker_model::advance(std::int64_t now_ms) {
    for (auto& [node, c] : clients_)
        if (c.at != nullptr && c.at->dies_ms <= now_ms) break_connection(c, "The broker's master is gone.");
    if (now_ms < paused_until_ms_) return;
    for (auto& [node, c] : clients_)
        if (c.opening) open(c);
    if (std::none_of(in_flight_.begin(), in_flight_.end(), [&](const in_flight& a) {
            return a.due_ms <= now_ms;
        }))
        return;
    std::deque<in_flight> waiting;
    for (in_flight& a : in_flight_) {
        if (a.due_ms > now_ms)
            waiting.push_back(std::move(a));
        else if (a.to->dies_ms > now_ms)
            arrive(a, now_ms);
    }
    in_flight_ = std::move(waiting);
}

void broker_model::open(client& c) {
    c.opening = false;
    c.at = master_;
    const server& s = *master_;
    opened o;
    o.connection = c.connection;
    if (s.trimmed < s.records.size()) {
        o.first = s.records[s.trimmed].at;
        o.last = s.records.back().at;
    }
    if (options_.tells_incarnation) o.incarnation = "run-" + std::to_string(s.incarnation);
    c.reports.push_back({options_.partition, std::move(o)});
    c.next = s.trimmed;
    while (c.next < s.records.size() && s.records[c.next].at < c.from) ++c.next;
}

std::vector<from_broker> broker_model::take(node_number to, std::size_t records_max, std::int64_t now_ms) {
    client& c = clients_[to];
    std::vector<from_broker> reports = std::exchange(c.reports, {});
    if (c.at == nullptr || now_ms < paused_until_ms_) return reports;
    if (c.to_report > 0)
        reports.push_back({options_.partition, appended{c.connection, std::exchange(c.to_report, 0)}});
    for (; records_max > 0 && c.next < c.at->records.size(); --records_max) {
        if (c.next < c.at->trimmed) {
            break_connection(c, "The log was trimmed before it was read.");
            reports.insert(reports.end(), c.reports.begin(), c.reports.end());
            c.reports.clear();
            break;
        }
        const stored& r = c.at->records[c.next++];
        reports.push_back({options_.partition, record_read{c.connection, r.at, *r.bytes}});
    }
    return reports;
}

void broker_model::break_connection(client& c, const std::string& reason) {
    c.at.reset();
    c.reports.push_back({options_.partition, closed{c.connection, reason}});
}

std::size_t broker_model::fail_over(
    std::size_t lost, std::int64_t old_goes_on_until_ms, std::int64_t now_ms
) {
    auto next = std::make_shared<server>(*master_);
    std::size_t gone = 0;
    while (gone < lost && next->records.size() > next->trimmed &&
           now_ms - next->records.back().arrived_ms <= options_.lost_age_ms_max) {
        next->records.pop_back();
        ++gone;
    }
    next->incarnation = ++incarnations_;
    master_->dies_ms = std::max(old_goes_on_until_ms, now_ms);
    master_ = std::move(next);
    advance(now_ms);
    return gone;
}

void broker_model::retain(std::size_t records) {
    if (size() > records) master_->trimmed = master_->records.size() - records;
}

void broker_model::disconnect(node_number node, const std::string& reason) {
    client& c = clients_[node];
    if (c.at != nullptr || c.opening) {
        c.opening = false;
        break_connection(c, reason);
    }
}

}  // namespace pulsewire::cluster
