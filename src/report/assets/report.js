/* SPDX-License-Identifier: MIT */
/* Draws the plots of report.html with uPlot.  The page is complete without: it has tables too. */
"use strict";
(() => {
	const root = document.documentElement;
	const data = JSON.parse(document.getElementById("data").textContent);
	const figures = [];
	let errors = 0, violations = 0;
	addEventListener("error", () => { errors++; });
	document.addEventListener("securitypolicyviolation", () => { violations++; });

	/* ---- figures as words ---- */

	const scaled = (v, units, digits) => {
		let i = 0;
		while (Math.abs(v) >= 999.95 && i + 1 < units.length)
			v /= 1000, i++;
		return `${Number(v.toPrecision(digits || 4))} ${units[i]}`;
	};
	const pps = v => v == null ? "?" : scaled(v, ["pps", "kpps", "Mpps", "Gpps"]);
	const ns = v => v == null ? "?" : scaled(v, ["ns", "us", "ms", "s"], 3);
	const percent = v => v == null ? "?" : `${Number((100 * v).toPrecision(3))} %`;
	const nines = q =>
		`${Number((100 * (1 - Math.pow(10, -q))).toFixed(Math.max(0, Math.ceil(q) - 1)))} %`;

	/* ---- scales ---- */

	/* Logarithms with a place for 0, one decade below the least value. */
	const logWithZero = values => {
		const positive = values.filter(v => v > 0).map(Math.log10);
		const least = positive.length ? Math.floor(Math.min(...positive)) : -4;
		const zero = least - 1;
		return {
			to: v => v == null ? null : v > 0 ? Math.log10(v) : zero,
			splits: (u, axis, min, max) => decades(Math.max(least, min), max, [1])
				.concat(min <= zero ? [zero] : []).sort((a, b) => a - b),
			word: v => v <= zero + 1e-9 ? "0" : percent(Math.pow(10, v)),
			range: (u, min, max) => [Math.min(zero, min) - 0.3, Math.max(max, least + 1) + 0.2],
		};
	};
	const decades = (min, max, steps) => {
		const out = [];
		for (let d = Math.floor(min); d <= max; d++)
			for (const s of steps)
				if (d + Math.log10(s) >= min && d + Math.log10(s) <= max)
					out.push(d + Math.log10(s));
		return out;
	};
	const log10 = v => v > 0 ? Math.log10(v) : null;
	const logTime = {
		splits: (u, axis, min, max) =>
			decades(min, max, max - min > 3 ? [1] : max - min > 1.2 ? [1, 3] : [1, 2, 3, 5]),
		word: v => ns(Math.round(Math.pow(10, v))),
		range: (u, min, max) => [min - 0.1, max + 0.15],
	};
	const padded = (share, floor) => (u, min, max) => {
		const pad = (max - min || Math.abs(max) || 1) * share;
		return [floor == null ? min - pad : Math.min(floor, min), max + pad];
	};

	/* ---- marks ---- */

	const css = name => getComputedStyle(root).getPropertyValue(name).trim();
	const VERDICTS = [["passed", "--blue"], ["failed", "--red"], ["says nothing", "--grey"], ["?", "--grey"]];
	const SHAPES = ["\u25cf", "\u2715", "\u25b3", "\u25a1"];

	/* The shape alone says which verdict it is. */
	const mark = (ctx, shape, x, y, r) => {
		ctx.beginPath();
		if (shape == 0) {
			ctx.arc(x, y, r, 0, 2 * Math.PI);
			return ctx.fill();
		}
		if (shape == 1) {
			ctx.moveTo(x - r, y - r);
			ctx.lineTo(x + r, y + r);
			ctx.moveTo(x - r, y + r);
			ctx.lineTo(x + r, y - r);
		} else if (shape == 2) {
			ctx.moveTo(x, y - r);
			ctx.lineTo(x + r, y + r);
			ctx.lineTo(x - r, y + r);
			ctx.closePath();
		} else {
			ctx.rect(x - r, y - r, 2 * r, 2 * r);
		}
		ctx.stroke();
	};

	/* What draws into one plot: positions from values, colours by name, marks counted. */
	const pen = (figure, u) => {
		const ctx = u.ctx, ratio = devicePixelRatio, box = u.bbox;
		const x = v => u.valToPos(v, "x", true), y = v => u.valToPos(v, "y", true);
		ctx.lineWidth = 1.6 * ratio;
		ctx.font = `${12 * ratio}px ${getComputedStyle(document.body).fontFamily}`;
		return {
			x, y, ratio, box, ctx,
			mark: (shape, vx, vy, colour, size) => {
				if (vx == null || vy == null)
					return;
				ctx.fillStyle = ctx.strokeStyle = css(colour);
				mark(ctx, shape, x(vx), y(vy), (size || 3.4) * ratio);
				figure.marks++;
			},
			line: (xs, ys, colour, dash) => {
				ctx.strokeStyle = css(colour);
				ctx.setLineDash((dash || []).map(d => d * ratio));
				ctx.beginPath();
				xs.forEach((v, i) => {
					if (v != null && ys[i] != null)
						ctx.lineTo(x(v), y(ys[i]));
				});
				ctx.stroke();
				ctx.setLineDash([]);
			},
			band: (low, high, axis) => {
				if (low == null || high == null)
					return;
				ctx.fillStyle = css("--band");
				if (axis == "x")
					ctx.fillRect(x(low), box.top, x(high) - x(low), box.height);
				else
					ctx.fillRect(box.left, y(high), box.width,
						Math.max(y(low) - y(high), ratio));
			},
			text: (text, px, py, colour, align) => {
				ctx.fillStyle = css(colour);
				ctx.textAlign = align || "left";
				ctx.textBaseline = "middle";
				/* Readable on top of marks and lines. */
				ctx.strokeStyle = css("--paper");
				ctx.lineWidth = 3 * ratio;
				ctx.strokeText(text, px, py);
				ctx.lineWidth = 1.6 * ratio;
				ctx.fillText(text, px, py);
			},
		};
	};

	const straight = (p, x0, y0, x1, y1) => {
		p.ctx.strokeStyle = css("--ink");
		p.ctx.beginPath();
		p.ctx.moveTo(x0, y0);
		p.ctx.lineTo(x1, y1);
		p.ctx.stroke();
	};
	const answerAcross = (p, v, word) => {
		if (v == null)
			return;
		straight(p, p.box.left, p.y(v), p.box.left + p.box.width, p.y(v));
		p.text(word, p.box.left + p.box.width - 4 * p.ratio, p.y(v) + 14 * p.ratio, "--ink",
			"right");
	};
	const answerDown = (p, v) => {
		if (v == null)
			return;
		const right = p.x(v) > p.box.left + 0.7 * p.box.width;
		straight(p, p.x(v), p.box.top, p.x(v), p.box.top + p.box.height);
		p.text("answer", p.x(v) + (right ? -4 : 4) * p.ratio, p.box.top + 8 * p.ratio, "--ink",
			right ? "right" : "left");
	};

	/* ---- kinds of plots: each gives a list of panels ---- */

	const kinds = {
		loads: d => [{
			x: d.x, y: d.pps, xWord: v => Number.isInteger(v) ? String(v) : "", yWord: pps,
			xName: "trial", xRange: padded(0.04), yRange: padded(0.1, 0),
			draw: p => {
				p.band(d.low, d.high, "y");
				d.x.forEach((x, i) => p.mark(d.verdict[i], x, d.pps[i],
					VERDICTS[d.verdict[i]][1]));
				answerAcross(p, d.answer, `answer ${pps(d.answer)}`);
			},
			tell: i => `Trial ${d.x[i]}: ${pps(d.pps[i])}, ${VERDICTS[d.verdict[i]][0]}`,
		}],
		loss: d => {
			const scale = logWithZero(d.loss.concat(d.curve_loss || []));
			return [{
				x: d.pps, y: d.loss.map(scale.to), xWord: pps, yWord: scale.word,
				yName: "lost", ySplits: scale.splits, yRange: scale.range, xRange: padded(0.06),
				draw: p => {
					if (d.curve_pps)
						p.line(d.curve_pps, d.curve_loss.map(scale.to), "--red");
					d.pps.forEach((x, i) => p.mark(d.verdict[i], x, scale.to(d.loss[i]),
						VERDICTS[d.verdict[i]][1]));
					answerDown(p, d.answer);
				},
				tell: i => `${pps(d.pps[i])}: lost ${percent(d.loss[i])}, ` +
					VERDICTS[d.verdict[i]][0],
			}];
		},
		latency: d => {
			const keys = ["p50_ns", "p90_ns", "p99_ns", "p999_ns"];
			const names = ["p50", "p90", "p99", "p99.9"];
			const all = keys.flatMap(k => d[k]).concat(d.floor).filter(v => v > 0).map(log10);
			return [{
				x: d.pps, y: d.p99_ns.map(log10), xWord: pps, yWord: logTime.word,
				ySplits: logTime.splits, xRange: padded(0.04), room: 46,
				yRange: () => logTime.range(null, Math.min(...all), Math.max(...all)),
				draw: p => {
					if (d.floor > 0)
						p.line([d.pps[0], d.pps[d.pps.length - 1]],
							[log10(d.floor), log10(d.floor)], "--soft", [2, 3]);
					answerDown(p, d.answer);
					const labels = [];
					keys.forEach((key, k) => {
						const line = d["line_" + key].map(log10), colour = `--q${k + 1}`;
						p.line(d.pps, line, colour);
						d.pps.forEach((x, i) => p.mark(0, x, log10(d[key][i]), colour, 1.8));
						const last = line.filter(v => v != null).pop();
						if (last != null)
							labels.push({at: p.y(last), word: names[k], colour});
					});
					labels.sort((a, b) => b.at - a.at).forEach((l, i) => {
						if (i > 0)
							l.at = Math.min(l.at, labels[i - 1].at - 13 * p.ratio);
						p.text(l.word, p.box.left + p.box.width + 5 * p.ratio, l.at, l.colour);
					});
				},
				tell: i => `${pps(d.pps[i])}: ` +
					keys.map((k, n) => `${names[n]} ${ns(d[k][i])}`).join(", "),
			}];
		},
		tail: d => [{
			x: d.nines, y: d.ns.map(log10), xWord: nines, yWord: logTime.word,
			xName: "of the frames arrive within", ySplits: logTime.splits, yRange: logTime.range,
			xRange: (u, min, max) => [min, max + 0.1],
			xSplits: (u, axis, min, max) =>
				[Math.log10(2), 1, 2, 3, 4, 5, 6, 7, 8].filter(v => v >= min && v <= max - 0.3),
			draw: p => {
				p.line(d.nines, d.ns.map(log10), "--q3");
				[1, 2, 3, 4].forEach(q => {
					const i = d.nines.findIndex(v => v >= q);
					if (i > 0 && i < d.ns.length - 1) {
						p.mark(0, d.nines[i], log10(d.ns[i]), "--q3");
						p.text(ns(d.ns[i]), p.x(d.nines[i]) - 6 * p.ratio,
							p.y(log10(d.ns[i])) - 9 * p.ratio, "--ink", "right");
					}
				});
				p.mark(3, d.nines.at(-1), log10(d.ns.at(-1)), "--q3");
			},
			tell: i => `${nines(d.nines[i])} of the frames within ${ns(d.ns[i])}`,
		}],
		loss_free: d => [{
			x: d.s.map(log10), y: d.pps, xWord: v => ns(1e9 * Math.pow(10, v)), yWord: pps,
			xName: "without loss for", yRange: padded(0.1, 0), xRange: padded(0.08),
			xSplits: (u, axis, min, max) => decades(min, max, max - min > 3 ? [1] : [1, 3]),
			draw: p => {
				p.line(d.s.map(log10), d.pps, "--blue");
				d.s.forEach((s, i) => {
					p.line([log10(s), log10(s)], [d.low[i], d.high[i]], "--blue");
					p.mark(d.extrapolated[i] ? 3 : 0, log10(s), d.pps[i], "--blue");
				});
			},
			tell: i => `${ns(1e9 * d.s[i])}: ${pps(d.pps[i])} (${pps(d.low[i])} to ` +
				`${pps(d.high[i])})${d.extrapolated[i] ? ", extrapolated" : ""}`,
		}],
		noise: d => {
			const shape = i => d.classes[d.class[i]] == "valid" ? 0
				: d.classes[d.class[i]] == "fault" ? 1 : 2;
			const colour = i => ["--blue", "--red", "--grey"][shape(i)];
			const tell = i => `Trial ${d.x[i]}, ${d.classes[d.class[i]]}: longest gap ` +
				`${ns(d.gap_ns[i])}, away ${percent(d.away[i])}, late ${percent(d.late[i])}`;
			const panel = (name, values, scale) => {
				const ys = values.map(scale.to || log10), last = name == "late";
				return {
					x: d.x, y: ys, height: last ? 142 : 110, xRange: padded(0.04), yName: name,
					xName: last ? "trial" : "", bare: !last,
					xWord: v => Number.isInteger(v) && last ? String(v) : "", yWord: scale.word,
					ySplits: scale.splits, yRange: scale.range, tell,
					draw: p => d.x.forEach((x, i) => p.mark(shape(i), x, ys[i], colour(i), 2.8)),
				};
			};
			return [panel("longest gap", d.gap_ns, logTime),
				panel("away", d.away, logWithZero(d.away)),
				panel("late", d.late, logWithZero(d.late))];
		},
		timeline: d => [{
			x: d.x, y: d.received_pps, xWord: v => `${Number(v.toFixed(2))} s`, yWord: pps,
			xRange: (u, min, max) => [0, max],
			yRange: () => padded(0.1, 0)(null, 0, Math.max(...d.offered_pps, ...d.received_pps)),
			draw: p => {
				d.event_at.forEach((at, i) => p.band(at, d.event_until[i], "x"));
				p.line(d.x, d.offered_pps, "--grey", [3, 3]);
				p.line(d.x, d.received_pps, "--blue");
				d.event_at.forEach((at, i) => {
					p.mark(1, at, 0, "--red");
					if (d.event_at.length > 6)
						return;
					const right = p.x(at) > p.box.left + 0.7 * p.box.width;
					p.text(d.event_what[i], p.x(at) + (right ? -4 : 4) * p.ratio,
						p.box.top + (8 + 15 * (i % 4)) * p.ratio, "--ink", right ? "right" : "left");
				});
				d.x.forEach((x, i) => p.mark(0, x, d.received_pps[i], "--blue", 1.4));
			},
			tell: i => `${Number(d.x[i].toFixed(2))} s: offered ${pps(d.offered_pps[i])}, ` +
				`received ${pps(d.received_pps[i])}`,
		}],
		blocks: d => [{
			x: d.x, y: d.ratio, xWord: v => Number.isInteger(v) ? String(v) : "",
			yWord: v => Number(v.toPrecision(4)), xName: d.unit || "block", xRange: padded(0.06),
			yRange: () => {
				const all = d.ratio.concat(d.control, d.low, d.high, 1).filter(v => v != null);
				return padded(0.1)(null, Math.min(...all), Math.max(...all));
			},
			draw: p => {
				p.band(d.low, d.high, "y");
				p.line([d.x[0], d.x[d.x.length - 1]], [1, 1], "--soft", [4, 4]);
				d.x.forEach((x, i) => {
					p.mark(3, x, d.control[i], "--grey", 2.6);
					p.mark(d.valid[i] ? 0 : 2, x, d.ratio[i], d.valid[i] ? "--blue" : "--grey");
				});
				answerAcross(p, d.mid, `ratio ${Number((d.mid || 0).toPrecision(4))}`);
			},
			tell: i => `${d.unit == "round" ? "Round" : "Block"} ${d.x[i]}: ratio ${d.ratio[i]}, control ${d.control[i]}`,
		}],
	};

	/* ---- a figure ---- */

	const axis = (word, name, splits, size) => ({
		stroke: () => css("--soft"), font: `12px ${getComputedStyle(document.body).fontFamily}`,
		grid: {stroke: () => css("--line"), width: 1}, ticks: {show: false}, gap: 6, size, splits,
		label: name || null, labelSize: 18, labelGap: 0, labelFont: "12px sans-serif",
		space: 60, values: (u, list) => list.map(v => v == null ? "" : word(v)),
	});

	const options = (figure, panel) => ({
		width: figure.box.clientWidth, height: panel.height || 260, legend: {show: false},
		padding: [10, panel.room || 28, 0, 0], pxAlign: 0,
		scales: {x: {time: false, range: panel.xRange}, y: {range: panel.yRange}},
		axes: [axis(panel.xWord, panel.xName, panel.xSplits, panel.bare ? 6 : 30),
			{...axis(panel.yWord, panel.yName, panel.ySplits, 74), space: 34}],
		series: [{}, {paths: () => null, points: {show: false}}],
		cursor: {y: false, points: {show: false}, drag: {x: true, y: false}},
		hooks: {
			draw: [u => { panel.draw(pen(figure, u)); }],
			setCursor: [u => {
				const i = figure.at ?? u.cursor.idx;
				figure.readout.textContent = i == null ? figure.key : panel.tell(i);
			}],
		},
	});

	const keyOf = d => {
		const used = new Set(d.verdict || []);
		return VERDICTS.map((v, i) => used.has(i) ? `${SHAPES[i]} ${v[0]}` : "")
			.concat(d.kind == "noise" ? ["\u25cf valid", "\u25b3 disturbed", "\u2715 fault"] : [])
			.concat(d.kind == "blocks" ? ["\u25cf ratio to A"] : [])
			.concat(d.kind == "timeline" ? ["\u25cf received", "\u2504 offered"] : [])
			.concat(d.kind == "timeline" && d.event_at.length ? ["\u2715 what happened"] : [])
			.concat(d.kind == "blocks" && d.control.some(v => v != null) ? ["\u25a1 control, A to A"] : [])
			.filter(w => w).join("   ");
	};

	const make = (element, d) => {
		const box = element.querySelector(".canvas"), readout = element.querySelector(".readout");
		const figure = {element, marks: 0, key: keyOf(d), box, readout};
		element.classList.add(d.kind);
		figure.readout.textContent = figure.key;
		figure.panels = kinds[d.kind](d);
		figure.plots = figure.panels.map(panel =>
			new uPlot(options(figure, panel), [panel.x, panel.y], figure.box));
		element.addEventListener("keydown", event => step(figure, event));
		element.addEventListener("mousemove", () => { figure.at = null; });
		figures.push(figure);
	};

	/* The arrow keys go from mark to mark, as the mouse does. */
	const step = (figure, event) => {
		const u = figure.plots[0], n = u.data[0].length, at = figure.at ?? u.cursor.idx;
		const to = {ArrowRight: at == null ? 0 : at + 1, ArrowLeft: at == null ? n - 1 : at - 1,
			Home: 0, End: n - 1}[event.key];
		if (to == null)
			return;
		event.preventDefault();
		/* Marks of one load share a place, so which of them is meant is kept beside the cursor. */
		figure.at = Math.min(n - 1, Math.max(0, to));
		u.setCursor({left: u.valToPos(u.data[0][figure.at], "x"), top: 10});
	};

	const redraw = () => {
		for (const figure of figures) {
			figure.marks = 0;
			figure.plots.forEach((u, i) => u.setSize(
				{width: figure.box.clientWidth, height: figure.panels[i].height || 260}));
			figure.plots.forEach(u => u.redraw());
		}
	};

	/* ---- for tests: what was really drawn ---- */

	const selfcheck = () => {
		for (const figure of figures) {
			let painted = 0;
			for (const canvas of figure.box.querySelectorAll("canvas")) {
				const c = canvas.getContext("2d");
				const pixels = c.getImageData(0, 0, canvas.width, canvas.height).data;
				for (let i = 3; i < pixels.length; i += 4)
					painted += pixels[i] > 0;
			}
			figure.element.dataset.painted = painted;
			figure.element.dataset.marks = figure.marks;
		}
		root.dataset.errors = errors;
		root.dataset.violations = violations;
		root.dataset.requests = performance.getEntriesByType("resource").length;
		root.dataset.paper = getComputedStyle(document.body).backgroundColor;
		root.dataset.inner = innerWidth;
		root.dataset.scroll = root.scrollWidth;
		root.dataset.selfcheck = "done";
	};

	for (const element of document.querySelectorAll("figure.plot"))
		if (data[element.id])
			make(element, data[element.id]);
	for (const query of ["(prefers-color-scheme: dark)", "print"])
		matchMedia(query).addEventListener("change", redraw);
	addEventListener("resize", redraw);
	if (location.hash == "#selfcheck")
		setTimeout(selfcheck, 100);
})();
