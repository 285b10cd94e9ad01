<?xml version="1.0" encoding="UTF-8"?>
<!-- SPDX-License-Identifier: MIT -->
<!-- The certificate for people: one page of HTML that also prints well. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
    xmlns:r="urn:patchday:report:1" exclude-result-prefixes="r">
<xsl:output method="html" encoding="UTF-8" indent="yes" doctype-system="about:legacy-compat"/>

<xsl:template match="/r:report">
<html lang="en">
<head>
<meta charset="UTF-8"/>
<title><xsl:value-of select="@server"/> - <xsl:value-of select="substring(@started, 1, 10)"/></title>
<style>
body { font: 14px/1.4 sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em; color: #222; }
h1 { font-size: 1.6em; margin-bottom: 0; } h2 { font-size: 1.1em; margin-top: 2em; border-bottom: 1px solid #999; }
table { border-collapse: collapse; width: 100%; } td, th { text-align: left; padding: .2em .6em .2em 0; vertical-align: top; border-bottom: 1px solid #ddd; }
th { font-weight: 600; } .number { text-align: right; } code { font-size: .85em; overflow-wrap: anywhere; }
.good { color: #176d2f; } .bad { color: #a61b1b; font-weight: 600; } .state { font-size: 1.2em; font-weight: 600; }
.line { border-bottom: 1px solid #222; min-width: 14em; height: 2.2em; }
@media print { body { margin: 0; max-width: none; font-size: 10pt; } h2 { break-after: avoid; } tr { break-inside: avoid; } }
</style>
</head>
<body>
<h1>Patch day certificate</h1>
<p class="state">
<xsl:attribute name="class">state <xsl:choose><xsl:when test="@state = 'done' or @state = 'waiting for sign-off'">good</xsl:when><xsl:otherwise>bad</xsl:otherwise></xsl:choose></xsl:attribute>
<xsl:if test="@site"><xsl:value-of select="@site"/> - </xsl:if><xsl:value-of select="@server"/> - <xsl:value-of select="substring(@started, 1, 10)"/>: <xsl:value-of select="@state"/>
</p>
<table>
<tr><th>workflow</th><td><xsl:value-of select="@workflow"/></td><th>run</th><td><code><xsl:value-of select="@run"/></code></td></tr>
<tr><th>started</th><td><xsl:value-of select="@started"/></td><th>ended</th><td><xsl:value-of select="@ended"/></td></tr>
<tr><th>reboots</th><td><xsl:value-of select="@reboots"/></td><th>rounds</th><td><xsl:value-of select="@rounds"/></td></tr>
<tr><th>plan</th><td colspan="3"><code><xsl:value-of select="@plan"/></code></td></tr>
<xsl:if test="@why"><tr><th>why</th><td colspan="3"><xsl:value-of select="@why"/></td></tr></xsl:if>
</table>
<xsl:for-each select="r:warning"><p class="bad"><xsl:value-of select="."/></p></xsl:for-each>

<xsl:if test="r:inhibitor">
<h2>Refused</h2>
<table>
<tr><th>step</th><th>risk</th><th>cause</th><th>remedy</th></tr>
<xsl:for-each select="r:inhibitor">
<tr><td><xsl:value-of select="@step"/></td><td class="bad"><xsl:value-of select="@risk"/></td><td><xsl:value-of select="@cause"/></td><td><xsl:value-of select="@remedy"/></td></tr>
</xsl:for-each>
</table>
</xsl:if>

<xsl:if test="r:question">
<h2>Questions</h2>
<table>
<tr><th>question</th><th>answer</th><th>by</th><th>time</th></tr>
<xsl:for-each select="r:question">
<tr><td><xsl:value-of select="@ask"/></td><td><xsl:choose><xsl:when test="@answer"><xsl:value-of select="@answer"/></xsl:when><xsl:otherwise><span class="bad">not answered</span></xsl:otherwise></xsl:choose></td><td><xsl:value-of select="@who"/></td><td><xsl:value-of select="@when"/></td></tr>
</xsl:for-each>
</table>
</xsl:if>

<h2>Steps</h2>
<table>
<tr><th>step</th><th>state</th><th>result</th><th>dry run</th><th class="number">seconds</th></tr>
<xsl:for-each select="r:step">
<tr>
<td><xsl:value-of select="@id"/><xsl:if test="r:message"><br/><span class="bad"><xsl:value-of select="r:message"/></span></xsl:if></td>
<td><xsl:attribute name="class"><xsl:choose><xsl:when test="@state = 'failed' or @state = 'stuck'">bad</xsl:when><xsl:otherwise>good</xsl:otherwise></xsl:choose></xsl:attribute><xsl:value-of select="@state"/></td>
<td><xsl:value-of select="@result"/></td>
<td><xsl:for-each select="../r:fidelity/r:prediction[@step = current()/@id]"><xsl:choose><xsl:when test="@held = 'no'"><span class="bad">not so: <xsl:if test="@predicted != @real"><xsl:value-of select="@predicted"/></xsl:if><xsl:for-each select="r:wrong"><xsl:text> </xsl:text><xsl:value-of select="@output"/></xsl:for-each></span></xsl:when><xsl:when test="@held = 'yes'">held</xsl:when><xsl:otherwise>unknown</xsl:otherwise></xsl:choose></xsl:for-each></td>
<td class="number"><xsl:value-of select="format-number(@seconds, '0.0')"/></td>
</tr>
</xsl:for-each>
</table>

<xsl:if test="r:update">
<h2>Updates (<xsl:value-of select="count(r:update)"/>, <xsl:value-of select="count(r:update/r:package)"/> packages)</h2>
<table>
<tr><th>update</th><th>severity</th><th>package</th><th>from</th><th>to</th></tr>
<xsl:for-each select="r:update/r:package">
<tr><td><xsl:value-of select="../@id"/></td><td><xsl:value-of select="../@severity"/></td><td><xsl:value-of select="@name"/></td><td><xsl:value-of select="@from"/></td><td><xsl:value-of select="@to"/></td></tr>
</xsl:for-each>
</table>
</xsl:if>

<xsl:for-each select="r:fidelity">
<h2>Dry run</h2>
<p><xsl:value-of select="@right"/> of <xsl:value-of select="@right + @wrong"/> predictions held<xsl:if test="@percent"> (<xsl:value-of select="@percent"/> %)</xsl:if>, <xsl:value-of select="@unknown"/> were unknown.</p>
<table>
<tr><th>plugin</th><th class="number">right</th><th class="number">wrong</th><th class="number">unknown</th><th class="number">%</th></tr>
<xsl:for-each select="r:plugin">
<tr><td><xsl:value-of select="@name"/></td><td class="number"><xsl:value-of select="@right"/></td><td class="number"><xsl:value-of select="@wrong"/></td><td class="number"><xsl:value-of select="@unknown"/></td><td class="number"><xsl:value-of select="@percent"/></td></tr>
</xsl:for-each>
</table>
</xsl:for-each>

<h2>Evidence</h2>
<table>
<tr><th>step</th><th>file</th><th class="number">bytes</th></tr>
<xsl:for-each select="r:step/r:evidence">
<tr><td><xsl:value-of select="../@id"/></td><td><xsl:value-of select="@title"/><br/><code><xsl:value-of select="@path"/><br/>sha256 <xsl:value-of select="@sha256"/></code></td><td class="number"><xsl:value-of select="@bytes"/></td></tr>
</xsl:for-each>
</table>

<xsl:if test="r:signature">
<h2>Sign-off</h2>
<table>
<tr><th>party</th><th>name</th><th>time</th><th>note</th></tr>
<xsl:for-each select="r:signature">
<tr><td><xsl:value-of select="@party"/></td>
<td><xsl:choose><xsl:when test="@name"><xsl:value-of select="@name"/></xsl:when><xsl:otherwise><div class="line"></div></xsl:otherwise></xsl:choose></td>
<td><xsl:value-of select="@time"/></td><td><xsl:value-of select="r:note"/></td></tr>
</xsl:for-each>
</table>
</xsl:if>
<p><small>Made by patchday <xsl:value-of select="@patchday"/></small></p>
</body>
</html>
</xsl:template>
</xsl:stylesheet>
