import Drawing
import Inspection

/// The style sheet and the script of every page, and the hashes by which its policy allows them.
enum HTMLAssets {
  static let styleHash = base64(Digest(of: Array(style.utf8)).bytes)
  static let scriptHash = base64(Digest(of: Array(script.utf8)).bytes)

  static let style: String = {
    func variables(_ theme: Theme) -> String {
      Token.allCases.map { "--\($0.rawValue):\(theme.color(of: $0).css)" }.joined(separator: ";")
    }
    let backgrounds = Token.allCases.map { ".b-\($0.rawValue){background:var(--\($0.rawValue))}" }
    return """

      :root{color-scheme:light dark;\(variables(.light))}
      @media (prefers-color-scheme:dark){:root{\(variables(.dark))}}
      @media print{:root{color-scheme:light;\(variables(.light))}}
      \(layout)
      \(backgrounds.joined())
      \(Scene.styleSheet)
      """
  }()

  private static let layout = """
    *{box-sizing:border-box}
    html{scroll-padding-top:3.5rem}
    body{margin:0;background:var(--canvas);color:var(--ink);
      font:15px/1.5 \(FontMetrics.families);-webkit-text-size-adjust:100%}
    header,main,footer{max-width:1240px;margin:0 auto;padding:0 20px}
    header{padding-top:32px}
    h1{font-size:26px;line-height:1.25;margin:0;overflow-wrap:anywhere}
    h2{font-size:19px;margin:0 0 12px}
    h3{font-size:15px;margin:20px 0 8px}
    p{margin:0 0 12px;max-width:75ch}
    .subtitle,footer{color:var(--muted)}
    .subtitle{margin:4px 0 20px;overflow-wrap:anywhere}
    .skip{position:absolute;left:-999px}
    .skip:focus{left:8px;top:8px;background:var(--card);color:var(--ink);padding:8px;z-index:2}
    .tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px;
      margin:0 0 20px}
    .tiles div{background:var(--panel);border:1px solid var(--hairline);border-radius:8px;
      padding:10px 14px}
    .tiles .b-good{background:var(--good)}.tiles .b-note{background:var(--note)}
    .tiles .b-warning{background:var(--warning)}.tiles .b-bad{background:var(--bad)}
    .tiles dt{font-size:12px;color:var(--ink)}
    .tiles dd{margin:0;font-size:20px;font-weight:700;overflow-wrap:anywhere}
    nav{position:sticky;top:0;z-index:1;background:var(--canvas);
      border-bottom:1px solid var(--hairline)}
    nav ul{display:flex;gap:4px 18px;overflow-x:auto;list-style:none;max-width:1240px;margin:0 auto;
      padding:10px 20px;white-space:nowrap}
    a{color:var(--groupNorm)}
    nav a{text-decoration:none}
    nav a:hover{text-decoration:underline}
    section{padding:28px 0 8px}
    figure{margin:0 0 16px}
    figcaption{margin:0 0 8px;color:var(--muted)}
    figure svg{display:block;max-width:100%;height:auto}
    svg.narrow{display:none;width:100%}
    .pairs{display:grid;grid-template-columns:minmax(8rem,max-content) 1fr;gap:6px 20px;margin:0}
    .pairs dt{color:var(--muted)}
    .pairs dd{margin:0;overflow-wrap:anywhere;min-width:0}
    .scroll{overflow-x:auto;margin:0 0 16px;border:1px solid var(--hairline);border-radius:8px;
      background:linear-gradient(to right,var(--canvas) 12px,transparent) 0 0/40px 100%,
      linear-gradient(to left,var(--canvas) 12px,transparent) 100% 0/40px 100%,
      linear-gradient(to right,var(--hairline),transparent) 0 0/10px 100%,
      linear-gradient(to left,var(--hairline),transparent) 100% 0/10px 100%;
      background-repeat:no-repeat;background-attachment:local,local,scroll,scroll}
    .scroll:not(.long){width:fit-content;max-width:100%}
    .scroll.long{max-height:70vh;overflow-y:auto}
    table{border-collapse:collapse;width:100%;font-size:13px;font-variant-numeric:tabular-nums}
    th,td{text-align:left;padding:5px 12px;vertical-align:top;
      border-bottom:1px solid var(--hairline)}
    tbody tr:last-child td{border-bottom:0}
    th{background:var(--panel);position:sticky;top:0;font-weight:700;white-space:nowrap}
    .n{text-align:right;white-space:nowrap}
    td.c{font-family:ui-monospace,'DejaVu Sans Mono','Liberation Mono',monospace;font-size:12px;
      overflow-wrap:anywhere;min-width:14rem}
    td.w{min-width:15rem;overflow-wrap:anywhere}
    td.s{white-space:nowrap}
    th button{all:unset;cursor:pointer;font-weight:700}
    th button:hover{text-decoration:underline}
    th button::after{content:'\\00a0↕';color:var(--muted);font-weight:400}
    th button:focus-visible,input:focus-visible,summary:focus-visible,a:focus-visible,
    .scroll:focus-visible{outline:2px solid var(--groupNorm);outline-offset:2px}
    th[aria-sort=ascending] button::after{content:'\\00a0▲';color:inherit}
    th[aria-sort=descending] button::after{content:'\\00a0▼';color:inherit}
    summary{cursor:pointer;font-weight:700;padding:6px 0}
    .tools{display:flex;flex-wrap:wrap;gap:8px 16px;align-items:center;margin:6px 0 10px}
    .tools output{color:var(--muted)}
    input{font:inherit;color:var(--ink);background:var(--card);border:1px solid var(--edge);
      border-radius:6px;padding:5px 10px;width:min(22rem,70vw)}
    .share{vertical-align:middle}
    .unprinted{display:none}
    footer{padding:28px 20px;font-size:13px}
    @media (max-width:720px){header,main,footer,nav ul{padding-left:12px;padding-right:12px}
      svg.wide{display:none}svg.narrow{display:block}
      nav{position:static}nav ul{flex-wrap:wrap}html{scroll-padding-top:8px}
      table{font-size:12px}th,td{padding:5px}th{white-space:normal;vertical-align:bottom}
      td.c{font-size:11px;min-width:10rem}td.w{min-width:10rem}.share{width:28px}
      .pairs{grid-template-columns:1fr;gap:0}.pairs dd{margin-bottom:8px}}
    @media print{nav,.tools,.skip,th button::after{display:none}body{font-size:11px}
      table{font-size:10px}td.c{font-size:9px}td.c,td.w{min-width:0}th,td{padding:3px 10px}.tiles dd{font-size:16px}
      .tiles{grid-template-columns:repeat(auto-fit,minmax(110px,1fr))}.unprinted{break-before:avoid}
      .tiles div,td{print-color-adjust:exact}.scroll,.scroll.long
      {max-height:none;overflow:visible;border:0;background:none}th{position:static}
      section{break-inside:auto;padding:14px 0 4px}
      thead{display:table-header-group}h1,h2,h3,h2+p,summary,figcaption{break-after:avoid}
      .scroll.vast{display:none}.unprinted{display:block}
      details:not([open]) summary::after{content:' – closed, so not printed';font-weight:400}
      figure,tr,.scroll:not(.long){break-inside:avoid}svg.wide{display:block}
      svg.narrow{display:none}}
    """

  /// Search and sorting for long tables; without it they are whole, in the order of the file.
  static let script = """

    'use strict';
    for (const box of document.querySelectorAll('details')) {
      const body = box.querySelector('tbody'), input = box.querySelector('input');
      const output = box.querySelector('output'), heads = [...box.querySelectorAll('th')];
      const rows = [...body.rows].map((row, index) => ({row, index, text: null}));
      const written = (count) => count.toLocaleString('en-US');
      let pending = 0;
      const search = () => {
        pending = 0;
        const words = input.value.toLowerCase().split(/\\s+/).filter(Boolean);
        let count = 0;
        for (const entry of rows) {
          entry.text ??= entry.row.textContent.toLowerCase() + ' ' +
            [...entry.row.cells].map((cell) => cell.textContent.toLowerCase()).join(' ');
          const fits = words.every((word) => entry.text.includes(word));
          entry.row.hidden = !fits;
          if (fits) count += 1;
        }
        output.value = words.length
          ? written(count) + ' of ' + written(rows.length) + ' rows' : written(rows.length) + ' rows';
      };
      input.addEventListener('input', () => { pending ||= requestAnimationFrame(search); });
      const key = (entry, column) => {
        const cell = entry.row.cells[column];
        if (!cell) return '';
        return cell.dataset.k === undefined ? cell.textContent : Number(cell.dataset.k);
      };
      const compare = (a, b) => {
        if (typeof a.key === 'number' && typeof b.key === 'number') return a.key - b.key;
        if (typeof a.key === 'number') return -1;
        if (typeof b.key === 'number') return 1;
        return a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
      };
      heads.forEach((head, column) => head.querySelector('button').addEventListener('click', () => {
        const down = head.getAttribute('aria-sort') === 'ascending';
        for (const other of heads) other.setAttribute('aria-sort', 'none');
        head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
        const sorted = rows.map((entry) => ({entry, key: key(entry, column)}));
        sorted.sort((a, b) => (down ? compare(b, a) : compare(a, b)) || a.entry.index - b.entry.index);
        body.append(...sorted.map(({entry}) => entry.row));
      }));
    }

    """

  /// Bytes in the letters of RFC 4648.
  private static func base64(_ bytes: [UInt8]) -> String {
    let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var text: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let part = bytes[start..<min(start + 3, bytes.count)]
      var bits = part.reduce(0 as UInt32) { $0 << 8 | UInt32($1) }
      bits <<= UInt32(8 * (3 - part.count))
      for index in 0..<4 {
        text.append(
          index <= part.count
            ? letters[Int(bits >> UInt32(18 - 6 * index) & 63)] : UInt8(ascii: "="))
      }
    }
    return String(decoding: text, as: UTF8.self)
  }
}
