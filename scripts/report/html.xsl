<?xml version="1.0" encoding="UTF-8"?>
<!-- SPDX-License-Identifier: MIT -->
<!-- The certificate for people: one page of HTML that needs nothing else, can be
     read on a screen and printed on A4. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
    xmlns:r="urn:patchday:report:1" exclude-result-prefixes="r">
<xsl:output method="html" encoding="UTF-8" indent="yes" doctype-system="about:legacy-compat"/>

<xsl:key name="prediction" match="r:prediction" use="@step"/>

<xsl:template match="/r:report">
<html lang="en">
<head>
<meta charset="UTF-8"/>
<meta name="viewport" content="width=device-width"/>
<title><xsl:call-template name="name"/></title>
<style>
body { font: 14px/1.45 "Liberation Sans", Arial, sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em; color: #1c1c1c; }
h1 { font-size: 1.1em; font-weight: 400; color: #555; margin: 0; } h2 { font-size: 1.1em; margin: 1.8em 0 .3em; }
.name { font-size: 1.7em; font-weight: 600; margin: 0 0 .4em; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .25em .8em .25em 0; border-bottom: 1px solid #ddd; overflow-wrap: break-word; }
th { font-weight: 600; } thead th { border-bottom: 1px solid #555; } .facts th { width: 7em; } .facts { border-top: 1px solid #555; }
.number { text-align: right; white-space: nowrap; } .when { white-space: nowrap; } code { font: .86em/1.4 "Liberation Mono", monospace; overflow-wrap: anywhere; }
.state { display: inline-block; padding: .15em .7em; border: 2px solid; border-radius: .3em; font-weight: 600; }
.good { color: #14602a; } .bad { color: #a01515; font-weight: 600; } .open { color: #8a5a00; font-weight: 600; }
.off { color: #8a5a00; } .small { font-size: .86em; color: #555; } .line { border-bottom: 1px solid #222; height: 2em; min-width: 12em; } pre { white-space: pre-wrap; margin: .2em 0; font-size: .86em; }
@page { size: A4; margin: 16mm 14mm 18mm; @bottom-right { content: "page " counter(page) " of " counter(pages); font-size: 8pt; } }
@media print { body { margin: 0; padding: 0; max-width: none; font-size: 9.5pt; color: #000; } th, td { padding-top: .15em; padding-bottom: .15em; } h2 { break-after: avoid; } tr, .keep { break-inside: avoid; } thead { display: table-header-group; } a { color: inherit; } }
</style>
</head>
<body>
<xsl:call-template name="head"/>
<xsl:if test="r:warning"><h2>Warnings</h2><xsl:for-each select="r:warning"><p class="bad"><xsl:value-of select="."/></p></xsl:for-each></xsl:if>
<xsl:if test="r:note"><h2>Notes</h2><ul><xsl:for-each select="r:note"><li><xsl:value-of select="."/></li></xsl:for-each></ul></xsl:if>
<xsl:call-template name="refused"/>
<xsl:call-template name="questions"/>
<xsl:call-template name="no-return"/>
<xsl:call-template name="steps"/>
<xsl:call-template name="comparison"/>
<xsl:call-template name="updates"/>
<xsl:call-template name="decisions"/>
<xsl:call-template name="fidelity"/>
<xsl:call-template name="evidence"/>
<xsl:call-template name="signatures"/>
<xsl:call-template name="seal"/>
</body>
</html>
</xsl:template>

<xsl:template name="name"><xsl:if test="@site"><xsl:value-of select="@site"/> - </xsl:if><xsl:value-of select="@server"/> - <xsl:value-of select="substring(@started, 1, 10)"/></xsl:template>

<xsl:template name="when">
<xsl:param name="time"/>
<xsl:if test="$time"><xsl:value-of select="substring($time, 1, 10)"/><xsl:text> </xsl:text><xsl:value-of select="substring($time, 12, 8)"/></xsl:if>
</xsl:template>

<xsl:template name="head">
<h1>Patch day certificate</h1>
<p class="name"><xsl:call-template name="name"/></p>
<p><span>
<xsl:attribute name="class">state <xsl:choose><xsl:when test="@state = 'done'">good</xsl:when><xsl:when test="@state = 'failed' or @state = 'inconsistent'">bad</xsl:when><xsl:otherwise>open</xsl:otherwise></xsl:choose></xsl:attribute>
<xsl:value-of select="@state"/></span>
<xsl:if test="@why"><xsl:text> </xsl:text><xsl:value-of select="@why"/></xsl:if></p>
<table class="facts">
<tr><th>server</th><td><xsl:value-of select="@server"/></td><th>site</th><td><xsl:value-of select="@site"/></td></tr>
<tr><th>workflow</th><td><xsl:value-of select="@workflow"/></td><th>role</th><td><xsl:value-of select="@role"/></td></tr>
<tr><th>started</th><td><xsl:call-template name="when"><xsl:with-param name="time" select="@started"/></xsl:call-template> UTC</td>
<th>ended</th><td><xsl:choose><xsl:when test="@ended"><xsl:call-template name="when"><xsl:with-param name="time" select="@ended"/></xsl:call-template> UTC</xsl:when><xsl:otherwise>not yet</xsl:otherwise></xsl:choose></td></tr>
<tr><th>reboots</th><td><xsl:value-of select="@reboots"/></td><th>rounds</th><td><xsl:value-of select="@rounds"/></td></tr>
<tr><th>run</th><td colspan="3"><code><xsl:value-of select="@run"/></code></td></tr>
<tr><th>plan</th><td colspan="3"><code><xsl:value-of select="@plan"/></code></td></tr>
</table>
</xsl:template>

<xsl:template name="no-return">
<h2>Points of no return</h2>
<xsl:choose>
<xsl:when test="r:step/r:irreversible">
<table><thead><tr><th>step</th><th>why it can't be undone</th></tr></thead><tbody>
<xsl:for-each select="r:step[r:irreversible]"><tr><td><xsl:value-of select="@id"/></td><td><xsl:value-of select="r:irreversible"/></td></tr></xsl:for-each>
</tbody></table>
</xsl:when>
<xsl:otherwise><p>No step of this run said that it could not be undone.</p></xsl:otherwise>
</xsl:choose>
</xsl:template>

<xsl:template name="steps">
<h2>Steps (<xsl:value-of select="count(r:step)"/>)</h2>
<table>
<thead><tr><th>step</th><th>state</th><th>result</th><th>prediction</th><th>started</th><th class="number">seconds</th></tr></thead>
<tbody>
<xsl:for-each select="r:step">
<tr>
<td><xsl:value-of select="@id"/><xsl:if test="@recovered"><span class="small"> (found done after a crash)</span></xsl:if>
<xsl:if test="r:message"><br/><span class="bad"><xsl:value-of select="r:message"/></span></xsl:if>
<xsl:if test="r:detail"><pre><xsl:value-of select="r:detail"/></pre></xsl:if></td>
<td><xsl:attribute name="class"><xsl:choose><xsl:when test="@state = 'failed' or @state = 'stuck'">bad</xsl:when><xsl:when test="@state = 'done' or @state = 'given back'">good</xsl:when><xsl:otherwise>open</xsl:otherwise></xsl:choose></xsl:attribute><xsl:value-of select="@state"/></td>
<td><xsl:value-of select="@result"/></td>
<td><xsl:for-each select="key('prediction', @id)"><xsl:choose><xsl:when test="@held = 'yes'">held</xsl:when><xsl:when test="@held = 'no'"><span class="off">not held: <xsl:value-of select="@predicted"/><xsl:for-each select="r:wrong"><br/><xsl:value-of select="@output"/>: <xsl:value-of select="@predicted"/>, was <xsl:value-of select="@real"/></xsl:for-each></span></xsl:when><xsl:otherwise><xsl:value-of select="@held"/></xsl:otherwise></xsl:choose></xsl:for-each></td>
<td class="when"><xsl:call-template name="when"><xsl:with-param name="time" select="@started"/></xsl:call-template></td>
<td class="number"><xsl:value-of select="format-number(@seconds, '0.0')"/></td>
</tr>
</xsl:for-each>
</tbody>
</table>
</xsl:template>

<xsl:template name="updates">
<xsl:if test="r:update">
<h2>Updates (<xsl:value-of select="count(r:update)"/>, <xsl:value-of select="count(r:update/r:package)"/> packages)</h2>
<table>
<thead><tr><th>update</th><th>severity</th><th>package</th><th>from</th><th>to</th><th>proved by</th></tr></thead>
<tbody>
<xsl:for-each select="r:update">
<xsl:for-each select="r:package | self::r:update[not(r:package)]">
<tr><td><xsl:value-of select="ancestor-or-self::r:update/@id"/></td><td><xsl:value-of select="ancestor-or-self::r:update/@severity"/></td><td><xsl:value-of select="@name"/></td><td><xsl:value-of select="@from"/></td><td><xsl:value-of select="@to"/></td><td><xsl:value-of select="ancestor-or-self::r:update/@trust"/></td></tr>
</xsl:for-each>
</xsl:for-each>
</tbody>
</table>
</xsl:if>
</xsl:template>

<xsl:template name="refused">
<xsl:if test="r:inhibitor">
<h2>Refused</h2>
<table>
<thead><tr><th>step</th><th>risk</th><th>cause</th><th>remedy</th></tr></thead>
<xsl:for-each select="r:inhibitor">
<tr><td><xsl:value-of select="@step"/></td><td class="bad"><xsl:value-of select="@risk"/></td><td><xsl:value-of select="@cause"/></td><td><xsl:value-of select="@remedy"/></td></tr>
</xsl:for-each>
</table>
</xsl:if>
</xsl:template>
<xsl:template name="questions">
<xsl:if test="r:question">
<h2>Questions</h2>
<table>
<thead><tr><th>question</th><th>answer</th><th>by</th><th>time</th></tr></thead>
<xsl:for-each select="r:question">
<tr><td><xsl:value-of select="@ask"/></td><td><xsl:choose><xsl:when test="@answer"><xsl:value-of select="@answer"/></xsl:when><xsl:otherwise><span class="bad">not answered</span></xsl:otherwise></xsl:choose></td><td><xsl:value-of select="@who"/></td><td><xsl:value-of select="@when"/></td></tr>
</xsl:for-each>
</table>
</xsl:if>
</xsl:template>
<xsl:template name="fidelity">
<xsl:for-each select="r:fidelity">
<h2>Dry run</h2>
<p><xsl:value-of select="@right"/> of <xsl:value-of select="@right + @wrong"/> predictions held<xsl:if test="@percent"> (<xsl:value-of select="@percent"/> %)</xsl:if>, <xsl:value-of select="@unknown"/> were unknown.</p>
<table>
<thead><tr><th>plugin</th><th class="number">right</th><th class="number">wrong</th><th class="number">unknown</th><th class="number">%</th></tr></thead>
<xsl:for-each select="r:plugin">
<tr><td><xsl:value-of select="@name"/></td><td class="number"><xsl:value-of select="@right"/></td><td class="number"><xsl:value-of select="@wrong"/></td><td class="number"><xsl:value-of select="@unknown"/></td><td class="number"><xsl:value-of select="@percent"/></td></tr>
</xsl:for-each>
</table>
</xsl:for-each>
</xsl:template>
<xsl:template name="comparison">
<xsl:for-each select="r:comparison">
<h2>Before and after (<xsl:value-of select="@unexplained"/> unexplained, <xsl:value-of select="@explained"/> explained)</h2>
<xsl:for-each select="r:not-compared"><p class="bad"><xsl:value-of select="."/>: not compared, a scan is missing</p></xsl:for-each>
<table>
<thead><tr><th>kind</th><th>what</th><th>change</th><th>explained by</th></tr></thead>
<xsl:for-each select="r:difference">
<tr><td><xsl:value-of select="@kind"/></td><td><xsl:value-of select="@key"/></td>
<td><xsl:value-of select="@change"/><xsl:if test="@field"><xsl:text> </xsl:text><xsl:value-of select="@field"/>: <xsl:value-of select="@before"/> - <xsl:value-of select="@after"/></xsl:if></td>
<td><xsl:choose><xsl:when test="@explained-by"><xsl:value-of select="@explained-by"/><xsl:if test="@through"> (<xsl:value-of select="@through"/>)</xsl:if></xsl:when><xsl:otherwise><span class="bad">unexplained</span></xsl:otherwise></xsl:choose></td></tr>
</xsl:for-each>
</table>
</xsl:for-each>
</xsl:template>
<xsl:template name="decisions">
<xsl:if test="r:decision">
<h2>May it go on?</h2>
<table>
<thead><tr><th>time</th><th>stage</th><th>decision</th><th>reasons</th></tr></thead>
<xsl:for-each select="r:decision">
<tr><td><xsl:value-of select="@time"/></td><td><xsl:value-of select="@stage"/></td>
<td><xsl:attribute name="class"><xsl:choose><xsl:when test="@kind = 'override' or r:reason/@overridden">bad</xsl:when><xsl:otherwise>good</xsl:otherwise></xsl:choose></xsl:attribute><xsl:value-of select="@kind"/></td>
<td><xsl:if test="@who"><xsl:value-of select="@names"/> by <xsl:value-of select="@who"/>: <xsl:value-of select="@why"/></xsl:if>
<xsl:for-each select="r:reason"><xsl:if test="position() &gt; 1"><br/></xsl:if><xsl:if test="@overridden">overridden: </xsl:if><xsl:value-of select="@guard"/>: <xsl:value-of select="@risk"/>; <xsl:value-of select="@cause"/></xsl:for-each></td></tr>
</xsl:for-each>
</table>
</xsl:if>
</xsl:template>
<xsl:template name="evidence">
<h2>Evidence (<xsl:value-of select="count(r:step/r:evidence | r:comparison/r:evidence)"/>)</h2>
<xsl:choose>
<xsl:when test="r:step/r:evidence | r:comparison/r:evidence">
<table>
<thead><tr><th>step</th><th>file and SHA-256</th><th class="number">bytes</th></tr></thead>
<tbody>
<xsl:for-each select="r:step/r:evidence | r:comparison/r:evidence">
<tr><td><xsl:value-of select="../@id"/></td><td><xsl:value-of select="@title"/><br/><code><xsl:value-of select="@path"/><br/><xsl:value-of select="@sha256"/></code></td><td class="number"><xsl:value-of select="@bytes"/></td></tr>
</xsl:for-each>
</tbody>
</table>
</xsl:when>
<xsl:otherwise><p>No step has left a file as evidence.</p></xsl:otherwise>
</xsl:choose>
</xsl:template>

<xsl:template name="signatures">
<xsl:if test="r:signature">
<div class="keep">
<h2>Sign-off</h2>
<table>
<thead><tr><th>party</th><th>name</th><th>time (UTC)</th><th>note</th></tr></thead>
<tbody>
<xsl:for-each select="r:signature">
<tr><td><xsl:value-of select="@party"/></td>
<td><xsl:choose><xsl:when test="@name"><xsl:value-of select="@name"/><xsl:if test="@by"><br/><span class="small">account: <xsl:value-of select="@by"/></span></xsl:if><xsl:if test="@overtaken"><br/><strong>before the change was taken back</strong></xsl:if></xsl:when><xsl:otherwise><div class="line"></div></xsl:otherwise></xsl:choose></td>
<td class="when"><xsl:call-template name="when"><xsl:with-param name="time" select="@time"/></xsl:call-template></td><td><xsl:value-of select="r:note"/></td></tr>
</xsl:for-each>
</tbody>
</table>
</div>
</xsl:if>
</xsl:template>

<xsl:template name="seal">
<div class="keep">
<h2>Seal</h2>
<table class="facts">
<tr><th>journal</th><td>row <xsl:value-of select="r:journal/@n"/><br/><code><xsl:value-of select="r:journal/@hash"/></code></td></tr>
<xsl:if test="r:seal">
<tr><th>sealed</th><td><xsl:call-template name="when"><xsl:with-param name="time" select="r:seal/@time"/></xsl:call-template> UTC<xsl:if test="r:seal/@by">, account: <xsl:value-of select="r:seal/@by"/></xsl:if></td></tr>
<tr><th>key</th><td><code><xsl:value-of select="r:seal/@key"/></code></td></tr>
</xsl:if>
</table>
<xsl:choose>
<xsl:when test="r:seal"><p class="small">This page goes with an XML file of the same name, whose signature, in minisign's format, holds this page's digest. To verify all of it: <code>patchday verify FILE.xml</code>; the XML alone, anywhere: <code>minisign -V -p seal.pub -m FILE.xml</code>.</p></xsl:when>
<xsl:otherwise><p class="open">Not sealed: this is how the run stood when the page was made.</p></xsl:otherwise>
</xsl:choose>
<p class="small">Made by patchday <xsl:value-of select="@patchday"/></p>
</div>
</xsl:template>
</xsl:stylesheet>
