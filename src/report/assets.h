/* SPDX-License-Identifier: MIT */
#pragma once

/* Files of assets/, whole, for report.html; embed.py makes assets.c of them at build time.  The
 * digests are SHA-256 in base64, for the page's Content-Security-Policy. */

extern const char asset_report_js[];
extern const char asset_report_js_sha256[];
extern const char asset_report_css[];
extern const char asset_report_css_sha256[];
extern const char asset_uplot_js[];
extern const char asset_uplot_js_sha256[];
extern const char asset_uplot_css[];
extern const char asset_uplot_css_sha256[];
extern const char asset_uplot_license[];
extern const char asset_uplot_license_sha256[];
