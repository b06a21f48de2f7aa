// Publishers and subscribers: fan-out, constant rate, rooms, event streams.

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "bench/load/crowd.hpp"
#include "bench/load/histogram.hpp"
#include "bench/load/process.hpp"
#include "bench/load/scenarios.hpp"
#include "bench/load/sequence.hpp"

namespace pulsewire::bench {
namespace {

// A run with a window ends after this time without a delivery, because a message was lost.
constexpr std::uint64_t stall_ns = 3'000'000'000;

struct plan {
    std::uint32_t channels = 1;
    std::uint32_t members = 1;     // of each channel
    std::uint32_t publishers = 1;  // of each channel
    bool members_publish = false;  // the first members are the publishers
    transport subscribe = transport::websocket;
    transport publish = transport::websocket;
    std::uint32_t window = 0;  // publishes in flight per publisher; 0: by rate
    double publishes_per_second = 0;
};

std::uint32_t or_default(std::uint32_t wish, std::uint32_t standard) {
    return wish != 0 ? wish : standard;
}

plan plan_for(const options& o) {
    plan p;
    p.publishers = or_default(o.publishers, 1);
    p.channels = or_default(o.channels, 1);
    p.members = or_default(o.connections, 1'000) / p.channels;
    p.window = or_default(o.window, 32);
    if (o.event_streams) p.subscribe = transport::event_stream;
    if (o.post) p.publish = transport::http;
    if (o.scenario == "rooms") {
        p.channels = or_default(o.channels, 500);
        p.members = or_default(o.members, 2);
        p.members_publish = p.subscribe == transport::websocket && p.publish == transport::websocket;
        p.window = or_default(o.window, 1);
    } else if (o.scenario == "sse") {
        p.publishers = or_default(o.publishers, 8);
        p.subscribe = transport::event_stream;
        p.publish = transport::http;
    } else if (o.scenario == "rate") {
        p.window = 0;
        const double rate = o.rate != 0 ? o.rate : 100'000;
        p.publishes_per_second = rate / p.members;
    }
    if (p.publish == transport::http && p.window != 0) p.window = 1;
    if (p.members == 0) throw std::runtime_error("more channels than connections leave nobody to listen");
    if (p.members_publish && p.publishers > p.members)
        throw std::runtime_error("a room has no more publishers than members");
    if (p.publish == transport::http && p.window == 0)
        throw std::runtime_error("a POST waits for its answer, so it keeps no rate: publish over WebSocket");
    return p;
}

struct publisher {
    connection* by = nullptr;
    std::uint32_t next = 0;                  // sequence
    std::uint32_t in_flight = 0;             // of the window
    bool waits = false;                      // is in the list of publishers with room in their window
    std::vector<std::uint32_t> missing;      // deliveries, by sequence
    std::vector<std::uint64_t> intended_ns;  // by sequence
};

class traffic final : public crowd {
public:
    traffic(const options& o, const plan& p) : crowd(o), plan_(p), meter_(o.server_pids) {}

    report run() {
        report r;
        connect(r);
        const std::uint64_t begin = now_ns() + static_cast<std::uint64_t>(wishes().warm_up_seconds * 1e9);
        const std::uint64_t end = begin + static_cast<std::uint64_t>(wishes().seconds * 1e9);
        run_to(begin);
        measure_from_ns_ = now_ns();
        const std::uint64_t before = delivered_, published_before = published_;
        meter_.start();
        run_to(end);
        // A generator that is late sends every message nevertheless.
        if (plan_.window == 0) publish_due(end, end);
        meter_.stop();
        measure_to_ns_ = now_ns();
        const std::uint64_t counted = delivered_ - before, published = published_ - published_before;
        run_until(wishes().drain_seconds, [&] { return delivered_ >= published_ * plan_.members; });
        count_what_never_came();
        tell(r, counted, published);
        return r;
    }

    void on_bytes(connection&) override { arrival_ns_ = now_ns(); }

    void on_delivered(connection& c, const stamp& s) override {
        const std::uint32_t local = s.publisher % plan_.publishers;
        if (s.publisher >= publishers_.size() || s.publisher / plan_.publishers != c.group) {
            ++misrouted_;
            return;
        }
        publisher& p = publishers_[s.publisher];
        if (s.sequence >= p.next || !checks_[c.index * plan_.publishers + local].take(s.sequence)) return;
        ++delivered_;
        if (s.intended_ns >= measure_from_ns_ && s.intended_ns < measure_to_ns_)
            latency_.add(arrival_ns_ - s.intended_ns);
        one_less_missing(p, s.sequence);
    }

    void on_answered(connection& c) override {
        publisher& p = publishers_[c.index - first_publisher_];
        one_less_missing(p, p.next - 1);
    }

private:
    void connect(report& r) {
        const std::size_t publishers = std::size_t{plan_.channels} * plan_.publishers;
        allow_descriptors(std::size_t{plan_.channels} * plan_.members + publishers, r);
        for (std::uint32_t channel = 0; channel < plan_.channels; ++channel)
            for (std::uint32_t i = 0; i < plan_.members; ++i) {
                const bool publishes = plan_.members_publish && i < plan_.publishers;
                connection& c = add_to(channel, plan_.subscribe, publishes ? part::member : part::subscriber);
                if (publishes) publishers_.emplace_back().by = &c;
            }
        checks_.resize(members().size() * plan_.publishers);
        first_publisher_ = static_cast<std::uint32_t>(members().size());
        if (!plan_.members_publish)
            for (std::uint32_t channel = 0; channel < plan_.channels; ++channel)
                for (std::uint32_t i = 0; i < plan_.publishers; ++i)
                    publishers_.emplace_back().by = &add_to(channel, plan_.publish, part::publisher);
        open_all();
        for (publisher& p : publishers_) give_room(p);
    }

    connection& add_to(std::uint32_t channel, transport over, part as) {
        std::string name = wishes().channel;
        if (plan_.channels > 1) name += std::to_string(channel);
        connection& c = add(over, as, std::move(name));
        c.group = channel;
        return c;
    }

    void run_to(std::uint64_t end) {
        std::uint64_t progress_ns = now_ns(), seen = delivered_;
        for (std::uint64_t now = now_ns(); now < end; now = now_ns()) {
            events().turn(plan_.window != 0 ? std::min(end, now + 100'000'000) : publish_due(now, end));
            if (plan_.window != 0) fill_windows();
            if (delivered_ != seen) {
                seen = delivered_;
                progress_ns = now;
            } else if (plan_.window != 0 && now - progress_ns > stall_ns) {
                stalled_ = true;
                return;
            }
        }
    }

    // Sends the messages due by `now`; returns the time at which the next one is due.
    std::uint64_t publish_due(std::uint64_t now, std::uint64_t end) {
        if (first_due_ns_ == 0) first_due_ns_ = now;
        for (;;) {
            const double after = static_cast<double>(published_) / plan_.publishes_per_second * 1e9;
            const std::uint64_t due = first_due_ns_ + static_cast<std::uint64_t>(after);
            if (due >= std::min(now, end)) {
                flush();
                return std::min(due, end);
            }
            publish(publishers_[published_ % publishers_.size()], due);
        }
    }

    void fill_windows() {
        const std::uint64_t now = now_ns();
        for (publisher* p : have_room_) {
            p->waits = false;
            while (p->in_flight < plan_.window) {
                ++p->in_flight;
                publish(*p, now);
            }
        }
        have_room_.clear();
        flush();
    }

    void publish(publisher& p, std::uint64_t intended_ns) {
        payload_.clear();
        const auto number = static_cast<std::uint32_t>(&p - publishers_.data());
        append_payload(payload_, {number, p.next, intended_ns}, wishes().payload_bytes, wishes().filled_with);
        p.missing.push_back(plan_.members + (plan_.publish == transport::http ? 1 : 0));
        p.intended_ns.push_back(intended_ns);
        ++p.next;
        ++published_;
        if (!p.by->is_open()) return;
        p.by->publish(payload_);
        written_.push_back(p.by);
    }

    void flush() {
        for (connection* c : written_) c->flush();
        written_.clear();
    }

    void one_less_missing(publisher& p, std::uint32_t sequence) {
        if (--p.missing[sequence] != 0 || plan_.window == 0) return;
        --p.in_flight;
        give_room(p);
    }

    void give_room(publisher& p) {
        if (p.waits) return;
        p.waits = true;
        have_room_.push_back(&p);
    }

    // Missing deliveries took at least as long as we waited; leaving them out would improve the figures.
    void count_what_never_came() {
        const std::uint64_t now = now_ns();
        if (plan_.window != 0) return;
        for (const publisher& p : publishers_)
            for (std::uint32_t i = 0; i < p.next; ++i)
                if (p.intended_ns[i] >= measure_from_ns_ && p.intended_ns[i] < measure_to_ns_)
                    for (std::uint32_t k = 0; k < p.missing[i]; ++k) latency_.add(now - p.intended_ns[i]);
    }

    void tell(report& r, std::uint64_t counted, std::uint64_t published) const {
        const double seconds = meter_.seconds();
        r.add(
            "connections", "subscribers", static_cast<double>(std::size_t{plan_.channels} * plan_.members), ""
        );
        if (plan_.window == 0) {
            const double offered = plan_.publishes_per_second * plan_.members;
            r.add("offered_per_s", "deliveries offered", offered, "/s");
        }
        r.add("deliveries_per_s", "deliveries", static_cast<double>(counted) / seconds, "/s");
        if (meter_.knows_server())
            r.add(
                "deliveries_per_cpu_s", "deliveries per second of the server's CPU",
                static_cast<double>(counted) / meter_.server_cpu_seconds(), ""
            );
        r.add("publishes_per_s", "publishes", static_cast<double>(published) / seconds, "/s");
        const auto ms = [&](double share) { return static_cast<double>(latency_.percentile(share)) / 1e6; };
        r.add("p50_ms", "latency, half below", ms(0.5), "ms", 2);
        r.add("p99_ms", "99 % below", ms(0.99), "ms", 2);
        r.add("p999_ms", "99.9 % below", ms(0.999), "ms", 2);
        r.add("max_ms", "greatest", static_cast<double>(latency_.max()) / 1e6, "ms", 2);
        meter_.tell(r);
        if (const auto rss = resident_bytes(wishes().server_pids))
            r.add("server_rss_bytes", "server's memory", static_cast<double>(*rss), "bytes");
        tell_deliveries(r);
    }

    void tell_deliveries(report& r) const {
        delivery_faults faults;
        for (std::size_t i = 0; i < checks_.size(); ++i) {
            const std::size_t channel = i / plan_.publishers / plan_.members;
            faults += checks_[i].faults(publishers_[channel * plan_.publishers + i % plan_.publishers].next);
        }
        r.add("lost", "lost", static_cast<double>(faults.lost), "");
        r.add("reordered", "out of order", static_cast<double>(faults.reordered), "");
        r.add("repeated", "repeated", static_cast<double>(faults.repeated), "");
        if (faults.lost != 0)
            r.fail(
                "messages are missing " + std::to_string(static_cast<int>(wishes().drain_seconds)) +
                " s after the end"
            );
        if (faults.reordered + faults.repeated + misrouted_ != 0)
            r.fail("messages came out of order, twice or to the wrong subscriber");
        if (stalled_) r.fail("nothing came any more, although publishes were in flight");
        tell_faults(r);
    }

    plan plan_;
    meter meter_;
    std::vector<publisher> publishers_;
    std::vector<publisher*> have_room_;
    std::vector<connection*> written_;
    std::vector<sequence_check> checks_;  // for each subscriber, one per publisher of its channel
    std::uint32_t first_publisher_ = 0;   // its place among the connections, if publishers are not members
    std::string payload_;
    histogram latency_;
    std::uint64_t arrival_ns_ = 0;
    std::uint64_t first_due_ns_ = 0;
    std::uint64_t measure_from_ns_ = UINT64_MAX, measure_to_ns_ = UINT64_MAX;
    std::uint64_t delivered_ = 0, published_ = 0, misrouted_ = 0;
    bool stalled_ = false;
};

}  // namespace

report run_traffic(const options& o) {
    return traffic(o, plan_for(o)).run();
}

}  // namespace pulsewire::bench
