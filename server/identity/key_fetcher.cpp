#include "server/identity/key_fetcher.hpp"

#include "server/log.hpp"

#include <algorithm>
#include <utility>

namespace pulsewire::identity {
namespace {

auto now() {
    return std::chrono::steady_clock::now();
}

}  // namespace

key_fetcher::key_fetcher(std::vector<address> addresses, keys_listener keys, asked_listener asked)
    : keys_(std::move(keys)), asked_(std::move(asked)) {
    for (address& at : addresses) sources_.push_back({std::move(at), {}});
    thread_ = std::thread([this] { run(); });
}

key_fetcher::~key_fetcher() {
    {
        const std::lock_guard lock(mutex_);
        stopped_ = true;
    }
    get_.stop();
    changed_.notify_all();
    thread_.join();
}

bool key_fetcher::want(std::size_t index) {
    const std::lock_guard lock(mutex_);
    if (stopped_ || !sources_[index].schedule.want(now())) return false;
    changed_.notify_all();
    return true;
}

// Waits for the next attempt; the number of sources when it is to end.
std::size_t key_fetcher::next_due(std::unique_lock<std::mutex>& lock) {
    while (!stopped_) {
        const auto first =
            std::min_element(sources_.begin(), sources_.end(), [](const source& a, const source& b) {
                return a.schedule.due().value_or(fetch_schedule::time_point::min()) <
                       b.schedule.due().value_or(fetch_schedule::time_point::min());
            });
        const auto due = first->schedule.due();
        if (!due || *due <= now()) return static_cast<std::size_t>(first - sources_.begin());
        changed_.wait_until(lock, *due);
    }
    return sources_.size();
}

void key_fetcher::run() {
    std::unique_lock lock(mutex_);
    while (true) {
        const std::size_t index = next_due(lock);
        if (index == sources_.size()) return;
        sources_[index].schedule.begin(now());
        lock.unlock();
        ask(index);
        lock.lock();
        if (stopped_) return;
        lock.unlock();
        asked_();
        lock.lock();
    }
}

void key_fetcher::ask(std::size_t index) {
    source& from = sources_[index];  // `at` never changes
    const std::string place =
        "the keys of " + log::printable(from.at.issuer) + ": " + log::printable(from.at.url);
    const auto text = get_.fetch(from.at.url, key_text_bytes_max);
    std::string fault = text ? "" : text.error();
    auto set = text ? parse_jwk_set(*text, key_kind::public_keys) : result<key_set, std::string>(key_set());
    if (text && !set) fault = set.error();
    if (fault.empty() && set->keys.empty()) fault = "has no key that can be used";
    bool expired = false;
    {
        const std::lock_guard lock(mutex_);
        if (stopped_) return;
        if (fault.empty()) {
            from.schedule.succeeded(now());
        } else {
            from.schedule.failed(now());
            expired = from.schedule.take_expired(now());
        }
    }
    if (set)
        for (const std::string& sentence : set->left_out) log::info(place, ": ", sentence);
    if (fault.empty()) {
        keys_(index, std::move(*set));
    } else {
        log::warning(place, " ", fault, expired ? "; the keys it had are too old now" : "");
        if (expired) keys_(index, {});
    }
}

}  // namespace pulsewire::identity
