#include "server/auth/url_observer.hpp"

#include "common/protocol/names.hpp"
#include "server/base/curl.hpp"
#include "server/log.hpp"
#include "server/log_limit.hpp"
#include "server/permission/question.hpp"
#include "server/permission/word_cache.hpp"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <variant>

namespace pulsewire::permission {
namespace {

using clock = std::chrono::steady_clock;
namespace curl = shell::curl;

constexpr std::uint32_t warnings_per_second = 1;

std::int64_t now_ms() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(clock::now().time_since_epoch()).count();
}

struct question {
    hub::authorize asked;
    std::int64_t due_ms = 0;
};

// A question under way.
struct call {
    question what;
    std::string body;
    curl::body answer{{}, answer_bytes_max};
    curl::easy_ptr handle;
    clock::time_point begun = clock::now();
};

}  // namespace

struct url_observer::parts {
    explicit parts(const config& c) : settings(c) {}

    const std::string& url_of(const hub::authorize& asked) const {
        const auto found = settings.namespaces.find(std::string(namespace_of(asked.channel)));
        return found == settings.namespaces.end() ? settings.default_namespace.authorize_url
                                                  : found->second.authorize_url;
    }

    void run();
    void take_arrived();
    void begin(question&& q);
    void finish(CURL* handle, CURLcode outcome);
    void tell(const hub::authorize& asked, const word& given);
    void cannot_be_asked(const hub::authorize& asked, const std::string& why);

    const config& settings;
    answer to;
    curl::multi_ptr multi = curl::new_multi();
    curl::header_ptr headers{curl_slist_append(nullptr, "Content-Type: application/json")};
    std::thread thread;
    std::atomic<bool> stopped = false;
    shell::authorization_counters counted;

    std::mutex mutex;
    std::vector<question> arrived;  // guarded by the mutex

    // --- of the thread ---
    std::deque<question> queue;
    std::map<CURL*, std::unique_ptr<call>> calls;
    word_cache cache;
    log::limit warnings{warnings_per_second};
};

bool url_observer::is_needed(const config& settings) {
    const auto has = [](const namespace_options& o) { return !o.authorize_url.empty(); };
    return has(settings.default_namespace) ||
           std::any_of(settings.namespaces.begin(), settings.namespaces.end(), [&](const auto& one) {
               return has(one.second);
           });
}

url_observer::url_observer(const config& settings) : parts_(std::make_unique<parts>(settings)) {}

url_observer::~url_observer() {
    stop();
}

void url_observer::start(answer to) {
    parts_->to = std::move(to);
    parts_->thread = std::thread([this] { parts_->run(); });
}

void url_observer::stop() {
    parts_->stopped = true;
    curl_multi_wakeup(parts_->multi.get());
    if (parts_->thread.joinable()) parts_->thread.join();
}

hub::interests url_observer::wants() const {
    hub::interests all;
    all.where_asked = true;
    all.authorizes |= parts_->settings.default_namespace.authorize;
    for (const auto& [name, options] : parts_->settings.namespaces) all.authorizes |= options.authorize;
    return all;
}

const shell::authorization_counters* url_observer::authorizations() const {
    return &parts_->counted;
}

bool url_observer::admit() {
    if (parts_->counted.waiting.fetch_add(1) < parts_->settings.shell.application_queue_max) return true;
    --parts_->counted.waiting;
    return false;
}

void url_observer::post(std::vector<hub::to_observer>&& batch) {
    {
        const std::lock_guard lock(parts_->mutex);
        const std::int64_t due_ms = now_ms() + timeout.count();
        for (hub::to_observer& one : batch)
            if (auto* asked = std::get_if<hub::authorize>(&one))
                parts_->arrived.push_back({std::move(*asked), due_ms});
    }
    curl_multi_wakeup(parts_->multi.get());
}

void url_observer::parts::run() {
    while (!stopped) {
        take_arrived();
        int running = 0;
        curl_multi_perform(multi.get(), &running);
        int left = 0;
        while (const CURLMsg* message = curl_multi_info_read(multi.get(), &left))
            if (message->msg == CURLMSG_DONE) finish(message->easy_handle, message->data.result);
        while (!queue.empty() && calls.size() < in_flight_max) {
            question first = std::move(queue.front());
            queue.pop_front();
            begin(std::move(first));
        }
        constexpr int wait_ms_max = 1'000;  // libcurl's own timers and post() end it earlier
        curl_multi_poll(multi.get(), nullptr, 0, wait_ms_max, nullptr);
    }
    for (const auto& [handle, one] : calls) curl_multi_remove_handle(multi.get(), handle);
    calls.clear();
}

void url_observer::parts::take_arrived() {
    std::vector<question> now_here;
    {
        const std::lock_guard lock(mutex);
        now_here.swap(arrived);
    }
    for (question& q : now_here) {
        if (const auto known = cache.find(key_of(q.asked), now_ms())) {
            ++counted.remembered;
            tell(q.asked, *known);
        } else {
            queue.push_back(std::move(q));
        }
    }
}

void url_observer::parts::begin(question&& q) {
    const std::int64_t left_ms = q.due_ms - now_ms();
    if (left_ms <= 0) return cannot_be_asked(q.asked, "has too many questions to answer");
    auto one = std::make_unique<call>();
    one->what = std::move(q);
    one->body = text_of(one->what.asked);
    one->handle.reset(curl_easy_init());
    CURL* const e = one->handle.get();
    if (e == nullptr) return cannot_be_asked(one->what.asked, "cannot be asked: there is no memory");
    curl::prepare(e, url_of(one->what.asked), std::chrono::milliseconds(left_ms), one->answer);
    curl_easy_setopt(e, CURLOPT_PROXY, "");
    curl_easy_setopt(e, CURLOPT_HTTPHEADER, headers.get());
    curl_easy_setopt(e, CURLOPT_POSTFIELDS, one->body.c_str());
    curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE, static_cast<long>(one->body.size()));
    curl_multi_add_handle(multi.get(), e);
    calls.emplace(e, std::move(one));
}

void url_observer::parts::finish(CURL* handle, CURLcode outcome) {
    const auto found = calls.find(handle);
    const std::unique_ptr<call> done = std::move(found->second);
    calls.erase(found);
    long status = 0;
    curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
    curl_multi_remove_handle(multi.get(), handle);
    counted.microseconds += static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(clock::now() - done->begun).count()
    );
    const hub::authorize& asked = done->what.asked;
    if (outcome != CURLE_OK)
        return cannot_be_asked(asked, std::string("could not be asked: ") + curl_easy_strerror(outcome));
    if (status != 200) return cannot_be_asked(asked, "answered with the status " + std::to_string(status));
    const auto given = read_word(done->answer.text);
    if (!given)
        return cannot_be_asked(
            asked, "answered neither {\"allow\":true} nor {\"allow\":false}, as protocol 11.10 has it"
        );
    cache.keep(key_of(asked), *given, now_ms());
    tell(asked, *given);
}

void url_observer::parts::tell(const hub::authorize& asked, const word& given) {
    --counted.waiting;
    ++(given.allow ? counted.allowed : counted.refused);
    hub::authorized word{asked.who, asked.number, error_code::none, {}};
    if (!given.allow) {
        word.refused = error_code::forbidden;
        word.reason = given.reason.empty() ? "the application does not permit this" : given.reason;
    }
    to(std::move(word));
}

void url_observer::parts::cannot_be_asked(const hub::authorize& asked, const std::string& why) {
    --counted.waiting;
    ++counted.failed;
    if (warnings.admits(now_ms()))
        log::warning(
            "authorize_url ", log::printable(url_of(asked)), " ", why, "; nothing is permitted meanwhile"
        );
    to({asked.who, asked.number, error_code::overloaded,
        "whether this is allowed cannot be found out now; try again later"});
}

}  // namespace pulsewire::permission
