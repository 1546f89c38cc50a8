"""Draws scan.png and photo.jpg and writes letter.pdf. Needs Pillow and the DejaVu fonts; README.md has the rest."""

import random

from PIL import Image, ImageDraw, ImageFilter, ImageFont

SERIF = "/usr/share/fonts/truetype/dejavu/DejaVuSerif.ttf"
MONO = "/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf"
chance = random.Random(1)


def scan():
    """A page of a register, a little crooked and specked, as a copier gives it."""
    page = Image.new("L", (620, 877), 236)
    pen = ImageDraw.Draw(page)
    pen.text((70, 60), "REPUBLIC OF VARENNA", font=ImageFont.truetype(SERIF, 22), fill=60)
    pen.text((70, 90), "District Holding Centre No. 4, Port Solace", font=ImageFont.truetype(SERIF, 15), fill=70)
    pen.line((70, 118, 550, 118), fill=90, width=2)
    rows = [
        "REGISTER OF PROPERTY, page 31",
        "",
        "Date           Entry",
        "3 March 2024   One wrist watch, steel",
        "               One pair of reading glasses",
        "               One notebook, blue cover",
        "4 March 2024   Notebook handed to office 2",
        "9 March 2024   Glasses returned on request",
        "17 March 2024  Watch returned at release",
        "",
        "Received by:   officer on duty (illegible)",
        "Stamp of the centre:",
    ]
    for number, row in enumerate(rows):
        pen.text((70, 140 + number * 34), row, font=ImageFont.truetype(MONO, 15), fill=70)
    pen.ellipse((330, 540, 470, 680), outline=120, width=4)
    pen.text((352, 598), "SPECIMEN", font=ImageFont.truetype(SERIF, 18), fill=120)
    page = page.rotate(1.2, fillcolor=200, resample=Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(0.6))
    pen = ImageDraw.Draw(page)
    for _ in range(250):
        pen.point((chance.randrange(620), chance.randrange(877)), fill=chance.randrange(90, 200))
    page.quantize(8).save("scan.png", optimize=True)


def photo():
    """A boat on an empty sea."""
    picture = Image.new("RGB", (640, 480))
    pen = ImageDraw.Draw(picture)
    for y in range(480):
        sky = (120 + y // 6, 160 + y // 8, 215 - y // 5)
        sea = (40, 80 - (y - 270) // 6, 110 - (y - 270) // 5)
        pen.line((0, y, 640, y), fill=sky if y < 270 else sea)
    pen.ellipse((450, 70, 520, 140), fill=(250, 235, 190))
    for _ in range(160):
        x, y = chance.randrange(640), chance.randrange(275, 480)
        pen.line((x, y, x + chance.randrange(8, 40), y), fill=(90, 130, 150))
    pen.polygon([(180, 300), (330, 300), (300, 335), (205, 335)], fill=(70, 50, 40))
    pen.line((250, 300, 250, 200), fill=(60, 40, 30), width=5)
    pen.polygon([(255, 205), (255, 290), (320, 290)], fill=(225, 220, 205))
    picture.save("photo.jpg", quality=72)


def letter():
    """One page of plain text in the smallest PDF that every reader accepts."""
    lines = [
        "Office of the District Prosecutor, Port Solace",
        "25 March 2024",
        "",
        "To the legal representative",
        "",
        "We confirm that your request of 20 March 2024 about the person held under",
        "number 4-0311 was received. No arrest order is on file for the days from",
        "3 March to 17 March 2024.",
        "",
        "The registry clerk",
    ]
    shown = "\n".join(f"({line}) Tj T*" for line in lines)
    stream = f"BT /F1 12 Tf 16 TL 72 760 Td\n{shown}\nET"
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        "/Resources << /Font << /F1 5 0 R >> >> >>",
        f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Times-Roman >>",
        "<< /Title (Answer of the prosecutor's office) /CreationDate (D:20240325101500-08'00') >>",
    ]
    text, places = "%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(text))
        text += f"{number} 0 obj\n{body}\nendobj\n"
    table = len(text)
    text += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n"
    text += "".join(f"{place:010} 00000 n \n" for place in places)
    text += f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R /Info 6 0 R >>\nstartxref\n{table}\n%%EOF\n"
    with open("letter.pdf", "w", encoding="ascii", newline="\n") as file:
        file.write(text)


scan()
photo()
letter()
