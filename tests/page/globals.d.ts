/** What classic scripts of the page define: uPlot. */
declare const uPlot: any;
