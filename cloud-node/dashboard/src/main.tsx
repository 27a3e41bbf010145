import { render } from "preact";
import "uplot/dist/uPlot.min.css";
import "./styles.css";
import { Gate } from "./gate.tsx";
import { applyTheme, storedTheme } from "./theme.ts";

applyTheme(storedTheme());
const page = document.getElementById("page");
if (page !== null) render(<Gate />, page);
