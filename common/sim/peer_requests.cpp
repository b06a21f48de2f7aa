// Requests between clients (docs/protocol.md 4.18, 4.19): a peer asks, and is asked. Whatever the others do,
// each request has exactly one outcome: its own answer, an error that is true, or its deadline.

#include "common/session/public_name.hpp"
#include "common/sim/peer.hpp"

#include <iterator>

namespace pulsewire::sim {
namespace {

// The payload names the asker and the one asked, so that each end can tell whether it is meant.
std::string question_text(const std::string& from, const std::string& to, std::uint32_t number) {
    return "\"" + from + " asks " + to + " " + std::to_string(number) + "\"";
}

std::string answer_text(const std::string& of, std::string_view question) {
    return "\"" + of + " answers " + std::string(question.substr(1));
}

}  // namespace

const peer::subscription* peer::subscribed_to(std::string_view channel) const {
    for (const auto& [id, s] : subscriptions_)
        if (s.channel == channel) return &s;
    return nullptr;
}

void peer::question(const std::string& channel) {
    const subscription* here = subscribed_to(channel);
    const bool sees_somebody = here != nullptr && !here->members.empty();
    const bool allowed = seen_.options_of(channel).client_requests;
    // When all is calm, whom one can see one can ask.
    if (seen_.calm() && !(sees_somebody && allowed)) return;
    std::string to = hub::public_name("session-" + std::to_string(random_.below(10)));
    if (sees_somebody) {
        auto drawn = here->members.begin();
        std::advance(drawn, random_.below(static_cast<std::uint32_t>(here->members.size())));
        to = *drawn;
    }
    std::string payload = question_text(session_, to, ++payloads_);
    const auto bytes = static_cast<std::uint32_t>(payload.size());
    const std::uint32_t timeout_ms = seen_.calm() || random_.percent(50) ? 0 : random_.between(1, 20'000);
    const std::uint32_t id = machine_.request("ask", bytes, timeout_ms, time_.now(), channel, to);
    command c{command::kind::question, channel, std::move(payload), true};
    c.asked = std::move(to);
    c.subscription = here == nullptr ? 0 : here->number;
    remember(id, std::move(c));
    obey();
}

void peer::is_asked(const client::action& a) {
    const question_name which{a.attempt, a.offset};
    if (a.type.size == 0) {
        const auto found = questions_.find(which);
        if (found == questions_.end()) return;  // it was not subscribed when that was asked
        seen_.taken_back(found->second);
        questions_.erase(found);
        return seen_.reached(situation::question_withdrawn);
    }
    const std::string payload(part(a.payload));
    if (!questions_.emplace(which, payload).second) blame("is asked twice under one number: " + line_);
    if (!payload.starts_with("\"" + std::string(part(a.session)) + " asks " + session_ + " "))
        blame("is asked what was not meant for it: " + line_);
    seen_.requested(payload);
    const std::string said = R"("payload":)" + answer_text(session_, payload);
    const std::uint32_t dice = seen_.calm() ? 0 : random_.below(100);
    if (dice < 60) {
        answer_after(dice, which, said);
    } else if (dice < 70) {
        answer_after(random_.below(3'000), which, said);
        answer_after(random_.below(3'000), which, said);
    } else if (dice < 80) {
        seen_.declined(payload);
        answer_after(random_.below(3'000), which, R"("code":"rejected","message":"no")");
    } else if (dice < 90) {
        answer_after(random_.below(30'000), which, said);
    }  // or never
}

// Answers to nobody, too: to a connection that is gone, and to who no longer wants it.
void peer::answer_after(std::int64_t ms, const question_name& which, const std::string& answer) {
    time_.after(ms, [this, which, answer] {
        when_awake([this, which, answer] {
            if (!questions_.contains(which) && random_.percent(50)) return;
            flush();
            const std::string line =
                R"({"op":"respond","request":)" + std::to_string(which.second) + "," + answer + "}";
            trace_.add(line);
            if (seen_.heard()) seen_.tell(session_, "-> " + line);
            network_.send(which.first, line);
        });
    });
}

void peer::check_answer(const command& c, std::string_view got) {
    if (seen_.is_stranger(c.asked)) return;  // may say anything
    seen_.reached(situation::client_answered);
    if (got != answer_text(c.asked, c.payload)) blame("another answer than to " + c.payload + ": " + line_);
    if (seen_.has_declined(c.payload) || seen_.is_taken_back(c.payload))
        blame("an answer where there was none: " + line_);
}

void peer::check_failure(const command& c, std::string_view code, bool said) {
    const subscription* here = subscribed_to(c.channel);
    const bool remained = c.subscription != 0 && here != nullptr && here->number == c.subscription;
    if (code == "forbidden" && tokens_ && may_lack(c.channel)) return;
    bool fair = false;
    if (code == "disconnected") {
        fair = true;
        seen_.reached(situation::request_disconnected);
    } else if (code == "timeout") {
        fair = true;
        seen_.reached(situation::request_timed_out);
    } else if (code == "not_present") {
        fair = true;
        seen_.reached(situation::nobody_to_ask);
    } else if (code == "rejected") {
        fair = seen_.has_declined(c.payload);
        seen_.reached(situation::client_declined);
    } else if (code == "forbidden") {
        fair = !seen_.options_of(c.channel).client_requests;
    } else if (code == "not_subscribed") {
        fair = !remained;
    }
    if (said && seen_.is_taken_back(c.payload)) fair = false;
    if (!fair || seen_.calm()) blame("is not answered, " + std::string(code) + ": " + c.payload);
}

}  // namespace pulsewire::sim
