#include "server/feed/nats/reading.hpp"

#include "common/access/principal.hpp"
#include "server/broker/nats/jetstream.hpp"
#include "server/feed/consumer.hpp"
#include "server/feed/dead_letter.hpp"
#include "server/log.hpp"

#include <nlohmann/json.hpp>

#include <charconv>
#include <utility>
#include <vector>

namespace pulsewire::shell::feed {
namespace {

using nlohmann::json;

constexpr std::chrono::milliseconds time_step{1'000};
// What is not acknowledged within it is given again; a reader that is at work says so sooner.
constexpr std::chrono::seconds acknowledge_wait{30};
constexpr std::chrono::seconds in_progress_interval{10};
constexpr auto second_ns = std::chrono::nanoseconds(std::chrono::seconds(1)).count();

constexpr int sign_of_life = 100;
constexpr int nobody_listens = 503;
constexpr int consumer_in_use = 10013;

// Names of requests, in the subjects that they are answered to.
constexpr std::string_view ask_stream = "stream";
constexpr std::string_view ask_consumer = "consumer";
constexpr std::string_view ask_burial = "burial";

// A consumer's name has no dots, stars, slashes and spaces.
std::string durable_name_of(const std::string& group) {
    std::string name = access::wire_name_of(group);
    for (char& c : name)
        if (c == '.') c = '=';
    return name;
}

json parsed(std::string_view text) {
    json read = json::parse(text, nullptr, false);
    return read.is_object() ? read : json::object();
}

}  // namespace

nats_reading::nats_reading(
    boost::asio::io_context& loop, const nats::address& where, const consume_settings& of, ticket& last,
    listener heard
)
    : of_(of),
      last_(last),
      heard_(std::move(heard)),
      consumer_(durable_name_of(of.group)),
      timer_(loop),
      connection_(
          loop, where, of.broker_ca_file,
          nats::connection::listener{
              .on_ready =
                  [this] {
                      heard_at_ = clock::now();
                      connection_.hear_own_subject();
                      ask(ask_stream, "$JS.API.STREAM.NAMES", json{{"subject", of_.from}}.dump());
                  },
              .on_message = [this](const nats::delivery& one) { on_message(one); },
              .on_failure = [this](const std::string& reason) { lose(reason); },
          }
      ) {
    on_time();
}

void nats_reading::ask(std::string_view what, const std::string& subject, std::string_view body) {
    connection_.publish(subject, std::string(connection_.inbox()).append(".").append(what), body);
}

void nats_reading::on_message(const nats::delivery& one) {
    if (is_lost_) return;
    heard_at_ = clock::now();
    const std::string prefix = connection_.inbox() + ".";
    if (!one.subject.starts_with(prefix)) {
        if (one.status == 0) give(one);
        return;
    }
    const std::string_view what = one.subject.substr(prefix.size());
    if (what.starts_with(ask_burial)) return on_buried(what.substr(ask_burial.size() + 1), one);
    if (one.status == nobody_listens)
        return lose(
            connection_.name() +
            " has nobody who answers for a stream: is JetStream on (\"jetstream {}\" in its configuration)?"
        );
    what == ask_stream ? on_stream(one.bytes) : on_consumer(one.bytes);
}

void nats_reading::on_stream(std::string_view answer) {
    if (const auto error = nats::error_of(answer)) return lose(connection_.name() + ": " + *error);
    const json all = parsed(answer);
    const auto names = all.find("streams");
    if (names == all.end() || !names->is_array() || names->empty() || !names->front().is_string())
        return lose(
            connection_.name() + " has no stream that keeps the subject " + log::printable(of_.from) +
            ": make one (nats stream add)"
        );
    stream_ = names->front().get<std::string>();
    take_over();
}

// Refused while another one reads.
void nats_reading::take_over() {
    const json wish = {
        {"stream_name", stream_},
        {"config",
         {{"durable_name", consumer_},
          {"deliver_subject", connection_.own_subject()},
          {"deliver_policy", of_.from_newest ? "new" : "all"},
          {"filter_subject", of_.from},
          {"ack_policy", "explicit"},
          {"ack_wait", std::chrono::nanoseconds(acknowledge_wait).count()},
          {"max_ack_pending", in_flight_max},
          {"max_deliver", -1},
          {"replay_policy", "instant"},
          {"idle_heartbeat", second_ns}}}};
    ask(ask_consumer, "$JS.API.CONSUMER.DURABLE.CREATE." + stream_ + "." + consumer_, wish.dump());
}

void nats_reading::on_consumer(std::string_view answer) {
    const json all = parsed(answer);
    const auto error = all.find("error");
    if (error != all.end() && error->is_object() && error->value("err_code", 0) == consumer_in_use)
        return heard_.on_waiting();
    if (const auto words = nats::error_of(answer))
        return lose(
            connection_.name() + " does not let the consumer " + consumer_ + " of the stream " +
            log::printable(stream_) + " be used (" + *words + ")"
        );
    begin();
}

// Records may come before the answer that announces them.
void nats_reading::begin() {
    if (std::exchange(is_reading_, true)) return;
    heard_.on_reading();
}

void nats_reading::give(const nats::delivery& one) {
    const auto place = nats::place_of(one.reply);
    if (!place) return;
    begin();
    record found;
    found.number = ++last_;
    found.position = std::to_string(place->sequence).append("-").append(place->time);
    found.value = one.bytes;
    found.key = std::string(one.subject);
    found.headers = one.headers;
    places_.emplace(found.number, one.reply);
    heard_.on_record(std::move(found));
}

// --- what became of it ---

void nats_reading::acknowledge(ticket number) {
    const auto found = places_.find(number);
    if (found == places_.end() || is_lost_) return;
    connection_.publish(found->second, "", "+ACK");
    places_.erase(found);
}

void nats_reading::bury(const record& bad, const std::string& reason) {
    if (is_lost_ || !places_.contains(bad.number)) return;
    const std::uint64_t which = ++last_burial_;
    burials_.emplace(which, burial{bad.number, clock::now()});
    ask(std::string(ask_burial).append(".").append(std::to_string(which)), of_.dead_letters,
        dead_letter_of(bad, reason, of_.from));
}

void nats_reading::on_buried(std::string_view what, const nats::delivery& answer) {
    std::uint64_t which = 0;
    std::from_chars(what.data(), what.data() + what.size(), which);
    const auto found = burials_.extract(which);
    if (found.empty()) return;
    const ticket number = found.mapped().number;
    std::string refused;
    if (answer.status == nobody_listens)
        refused = "no stream keeps this subject";
    else if (const auto error = nats::error_of(answer.bytes))
        refused = *error;
    acknowledge(number);
    heard_.on_buried(number, refused);
}

// The server finds out by itself who subscribes no more.
void nats_reading::release(std::function<void()> done) {
    done();
}

// --- time ---

void nats_reading::on_time() {
    if (is_lost_) return;
    const auto now = clock::now();
    if (connection_.is_ready() && now - heard_at_ > nats::patience)
        return lose(
            connection_.name() + " has said nothing for more than 3 seconds" + connection_.complaint()
        );
    std::vector<ticket> unanswered;
    for (const auto& [which, one] : burials_)
        if (now - one.since > nats::patience) unanswered.push_back(one.number);
    std::erase_if(burials_, [&](const auto& one) { return now - one.second.since > nats::patience; });
    for (const ticket number : unanswered) {
        acknowledge(number);
        heard_.on_buried(number, "nobody has confirmed it: a stream must keep this subject");
    }
    if (!is_reading_ && !stream_.empty()) take_over();
    if (now - in_progress_at_ > in_progress_interval) say_in_progress();
    timer_.expires_after(time_step);
    timer_.async_wait([this, alive = std::weak_ptr(alive_)](const auto& error) {
        if (!error && !alive.expired()) on_time();
    });
}

void nats_reading::say_in_progress() {
    in_progress_at_ = clock::now();
    for (const auto& [number, place] : places_) connection_.publish(place, "", "+WPI");
}

void nats_reading::lose(std::string reason) {
    if (std::exchange(is_lost_, true)) return;
    timer_.cancel();
    heard_.on_lost(std::move(reason));
}

}  // namespace pulsewire::shell::feed
