#pragma once

// A node as a broker sees it: opens logs, appends, and keeps everything that it is told, for a test to wait
// for.

#include "server/broker/make_broker.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace pulsewire::testing {

class log_user {
public:
    // Of the partition's newest connection.
    struct log {
        cluster::log_connection connection = 0;
        std::optional<cluster::opened> opened;
        std::vector<cluster::record_read> records;
        std::uint64_t appended = 0;
        std::optional<std::string> closed;
        std::chrono::steady_clock::time_point closed_at;
        bool is_out_of_turn = false;  // told something before `opened` or after `closed`
    };

    explicit log_user(const shell::broker_options& options) {
        auto made =
            shell::make_broker(options, [this](std::span<cluster::from_broker> values) { hear(values); });
        if (!made) throw std::runtime_error(made.error());
        broker_ = std::move(*made);
    }
    ~log_user() { go_on(); }

    void open(cluster::mark from = {}, cluster::partition_index partition = 0) {
        std::unique_lock lock(lock_);
        log& opening = logs_[partition];
        opening = {};
        opening.connection = ++connections_;
        broker_->post({partition, cluster::open_log{opening.connection, from}});
    }
    // Opens again, a little later each time, until the broker answers; returns what it held.
    cluster::opened open_until_it_answers(cluster::mark from = {}, cluster::partition_index partition = 0) {
        for (int i = 0; i < 200; ++i) {
            open(from, partition);
            wait([&](const log& l) { return l.opened || l.closed; }, partition);
            if (const auto found = read(partition); found.opened) return *found.opened;
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
        }
        throw std::runtime_error("never opened: " + read(partition).closed.value_or("not answered"));
    }
    void append(std::string bytes, cluster::partition_index partition = 0) {
        broker_->post({partition, cluster::append_record{connection(partition), std::move(bytes)}});
    }
    void trim(cluster::mark before, cluster::partition_index partition = 0) {
        broker_->post({partition, cluster::trim_log{connection(partition), before}});
    }
    void close(cluster::partition_index partition = 0) {
        broker_->post({partition, cluster::close_log{connection(partition)}});
    }
    shell::broker& port() { return *broker_; }

    // Waits until what was told of a partition fits; false when that takes too long.
    bool wait(
        const std::function<bool(const log&)>& fits, cluster::partition_index partition = 0,
        std::chrono::milliseconds limit = std::chrono::seconds(20)
    ) {
        std::unique_lock lock(lock_);
        return told_.wait_for(lock, limit, [&] { return fits(logs_[partition]); });
    }
    bool wait_records(std::size_t count, cluster::partition_index partition = 0) {
        return wait([&](const log& l) { return l.records.size() >= count || l.closed; }, partition) &&
               read(partition).records.size() >= count;
    }
    bool wait_appended(std::uint64_t count, cluster::partition_index partition = 0) {
        return wait([&](const log& l) { return l.appended >= count || l.closed; }, partition) &&
               read(partition).appended >= count;
    }
    // The sentence; empty when nothing was closed.
    std::string wait_closed(cluster::partition_index partition = 0) {
        wait([](const log& l) { return l.closed.has_value(); }, partition);
        return read(partition).closed.value_or("");
    }
    log read(cluster::partition_index partition = 0) {
        const std::lock_guard lock(lock_);
        return logs_[partition];
    }
    std::vector<std::string> bytes(cluster::partition_index partition = 0) {
        std::vector<std::string> all;
        for (auto& each : read(partition).records) all.push_back(std::move(each.bytes));
        return all;
    }
    // As a node that is too slow: the handler returns no more when so many records of a log have come, until
    // go_on().
    void hold_at(std::size_t records) {
        const std::lock_guard lock(lock_);
        held_at_ = records;
    }
    void go_on() {
        const std::lock_guard lock(lock_);
        held_at_.reset();
        told_.notify_all();
    }

private:
    cluster::log_connection connection(cluster::partition_index partition) {
        const std::lock_guard lock(lock_);
        return logs_[partition].connection;
    }

    void hear(std::span<cluster::from_broker> values) {
        std::unique_lock lock(lock_);
        for (auto& each : values) {
            log& of = logs_[each.partition];
            std::visit([&](auto& what) { note(of, what); }, each.what);
        }
        told_.notify_all();
        told_.wait(lock, [&] { return !is_held(); });
    }
    bool is_held() const {
        for (const auto& [partition, each] : logs_)
            if (held_at_ && each.records.size() >= *held_at_) return true;
        return false;
    }
    template <class What>
    void note(log& of, What& what) {
        // Values of a connection before may be on their way while the next one is opened.
        if (what.connection != of.connection) return;
        if (of.closed || of.opened.has_value() == std::is_same_v<What, cluster::opened>)
            of.is_out_of_turn = of.is_out_of_turn || of.closed || !std::is_same_v<What, cluster::closed>;
        if constexpr (std::is_same_v<What, cluster::opened>) of.opened = what;
        if constexpr (std::is_same_v<What, cluster::record_read>) of.records.push_back(std::move(what));
        if constexpr (std::is_same_v<What, cluster::appended>) of.appended += what.records;
        if constexpr (std::is_same_v<What, cluster::closed>) {
            of.closed = what.reason;
            of.closed_at = std::chrono::steady_clock::now();
        }
    }

    std::mutex lock_;
    std::condition_variable told_;
    std::map<cluster::partition_index, log> logs_;
    cluster::log_connection connections_ = 0;
    std::optional<std::size_t> held_at_;
    std::unique_ptr<shell::broker> broker_;  // last: it calls hear() until it is gone
};

}  // namespace pulsewire::testing
