#include "bench/load/report.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>

namespace pulsewire::bench {
namespace {

// 1234567.8 with commas between thousands.
std::string readable(double value, int decimals) {
    char digits[64];
    std::snprintf(digits, sizeof digits, "%.*f", decimals, value);
    std::string text = digits;
    const std::size_t first = text.starts_with('-') ? 1 : 0;
    std::size_t at = std::min(text.find('.'), text.size());
    while (at > first + 3) text.insert(at -= 3, 1, ',');
    return text;
}

}  // namespace

void report::add(
    std::string_view key, std::string_view label, double value, std::string_view unit, int decimals
) {
    figures_.push_back({std::string(key), std::string(label), std::string(unit), value, decimals});
}

std::string report::table() const {
    std::size_t labels = 0, values = 0;
    for (const figure& f : figures_) {
        labels = std::max(labels, f.label.size());
        values = std::max(values, readable(f.value, f.decimals).size());
    }
    std::string out;
    for (const figure& f : figures_) {
        const std::string value = readable(f.value, f.decimals);
        out.append("  ").append(f.label).append(labels + 2 - f.label.size() + values - value.size(), ' ');
        out.append(value).append(f.unit.empty() ? "" : " ").append(f.unit).append("\n");
    }
    for (const std::string& text : warnings_) out.append("  warning: ").append(text).append("\n");
    for (const std::string& text : failures_) out.append("  FAILED: ").append(text).append("\n");
    return out;
}

std::string report::json() const {
    nlohmann::ordered_json all = nlohmann::ordered_json::object();
    for (const figure& f : figures_) all[f.key] = f.value;
    all["warnings"] = warnings_;
    all["failures"] = failures_;
    return all.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace pulsewire::bench
